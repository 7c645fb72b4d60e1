/**
 * Elements made one by one. No markup is ever parsed, so a page that demands trusted types has nothing to forbid, and what
 * people write can only become text.
 */

type Child = Node | string;

/** An element with these attributes; `false` leaves one out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | boolean>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    set(element, name, value);
  }
  element.append(...children);
  return element;
}

/** Sets an attribute, or takes it away. Unchanged ones are left alone, so that nobody is told of them again. */
export function set(element: Element, name: string, value: string | boolean): void {
  const text = value === true ? '' : value;
  if (text === false) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== text) {
    element.setAttribute(name, text);
  }
}

/** Sets the text, if it is another one. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

const SVG = 'http://www.w3.org/2000/svg';

/** A drawing of one line, 24 by 24. */
export function icon(line: string, name = ''): SVGElement {
  const picture = document.createElementNS(SVG, 'svg') as SVGElement;
  const path = document.createElementNS(SVG, 'path');
  set(picture, 'viewBox', '0 0 24 24');
  set(picture, 'aria-hidden', 'true');
  set(picture, 'class', name);
  set(path, 'd', line);
  picture.append(path);
  return picture;
}

export const CROSS = 'M6 6l12 12M18 6L6 18';
