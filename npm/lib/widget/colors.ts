/** Which text can be read on a colour. */

const WHITE = '#fff';
const BLACK = '#10121c';

/** Of a computed opaque colour, `rgb(…)` or `color(srgb …)`; `undefined` for anything else. */
export function readableOn(computed: string): string | undefined {
  const [, space, list] = /^(rgb|color\(srgb)a?[ (]([^/)]*)\)$/.exec(computed) ?? [];
  const [red = NaN, green = NaN, blue = NaN, alpha = 1] = (list?.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(Number);
  const scale = space === 'rgb' ? 255 : 1;
  const light = luminance([red / scale, green / scale, blue / scale]);
  if (Number.isNaN(light) || alpha < 1) {
    return undefined;
  }
  // White where it can be read, since that is what people expect on a strong colour.
  const onWhite = 1.05 / (light + 0.05);
  return onWhite >= 4.5 || onWhite > (light + 0.05) / 0.056 ? WHITE : BLACK;
}

/** As WCAG reckons it. */
function luminance(parts: readonly [number, number, number]): number {
  const [red, green, blue] = parts.map((part) => {
    const bounded = Math.min(Math.max(part, 0), 1);
    return bounded <= 0.04045 ? bounded / 12.92 : ((bounded + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The colour as the browser reckons it, in one of two forms; empty for what is no colour by itself. */
export function computedColor(color: string): string {
  // A colour that is whatever the page makes of it cannot be judged.
  if (/var\(|^(inherit|initial|unset|revert|revert-layer|currentcolor)$/i.test(color.trim())) {
    return '';
  }
  const probe = document.createElement('i');
  probe.style.color = color;
  if (!probe.style.color) {
    return '';
  }
  // Whatever its notation, mixed with itself it is one of sRGB.
  probe.style.color = `color-mix(in srgb, ${color}, ${color})`;
  document.documentElement.append(probe);
  const computed = getComputedStyle(probe).color;
  probe.remove();
  return computed;
}
