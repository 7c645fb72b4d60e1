/**
 * The script tag's entry: `<script src="…/widget.v1.js" async></script>`.
 *
 * It runs in pages that are not ours: it throws nothing into them, and a second copy, of whichever version, does nothing.
 * The bubble is there as soon as the page is parsed and has a moment. Connecting waits until the page is loaded and idle, so that it takes
 * nothing from what the visitor has come for; a page that never finishes loading is waited for no longer than some seconds.
 */
import { configure } from '../config.js';
import { ChatError } from '../errors.js';
import { WebSocketOrPolling } from '../polling.js';
import { computedColor, readableOn } from './colors.js';
import { install } from './commands.js';
import { readConfig } from './config.js';
import { Events } from './events.js';
import { fallbackBeside } from './fallback.js';
import './globals.js';
import { whenIdle, whenParsed } from './idle.js';
import { Widget } from './widget.js';

const MARK = Symbol.for('@amoiq/chat-widget/v1');

const page = globalThis as { [MARK]?: true };
const warned = new Set<string>();
if (typeof document !== 'undefined') {
  if (page[MARK]) {
    warn('this page has the script twice; the second one does nothing');
  } else {
    page[MARK] = true;
    run(document.currentScript as HTMLScriptElement | null);
  }
}

function run(script: HTMLScriptElement | null): void {
  const events = new Events();
  let widget: Widget | undefined;
  let stopWaiting = () => {};
  let isRunning = false;
  const end = (forgets: boolean) => {
    stopWaiting();
    widget?.stop(forgets);
    widget = undefined;
  };
  const boot = () => {
    const { options, problems } = readConfig(window.ChatWidgetConfig, {
      scriptUrl: script?.src,
      lang: document.documentElement.lang,
      dir: document.documentElement.dir,
      language: navigator.language,
      isColor: (color) => readableOn(computedColor(color)) !== undefined,
    });
    widget?.makeWayFor(options?.proof);
    end(false);
    if (problems.length > 0) {
      warn(`window.ChatWidgetConfig: ${problems.join('; ')}`);
    }
    if (options) {
      // A copy of its own lives in this script: this configures nothing of the page's.
      configure({
        gatewayUrl: options.baseUrl,
        WebSocket: WebSocketOrPolling,
        fallback: fallbackBeside(script),
      });
      const made = new Widget(options, events, warn);
      widget = made;
      if (options.autoConnect) {
        made.admit();
        stopWaiting = whenIdle(() => made.connect());
      }
    }
  };
  const tellReady = () => {
    if (widget && isRunning) {
      events.emit('ready', {});
    }
  };
  const { drain } = install(
    window,
    {
      open: () => widget?.open(),
      close: () => widget?.close(),
      toggle: () => widget?.toggle(),
      connect: () => widget?.connect(),
      identify: (who) => widget?.identify(who),
      on: (event, listener) => events.on(event, listener),
      off: (event, listener) => events.off(event, listener),
      shutdown: () => {
        if (widget) {
          end(true);
          events.emit('shutdown', {});
        }
      },
      boot: () => guarded(() => {
        boot();
        tellReady();
      }),
    },
    warn,
  );
  whenParsed(() => {
    guarded(boot);
    drain();
    // Once, though the page may have asked for a start before.
    isRunning = true;
    tellReady();
  });
}

function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    warn(error);
  }
}

/** For the page's developer; visitors see the panel's status. The same is said once. */
function warn(problem: unknown): void {
  const [code, help] = problem instanceof ChatError ? [` [${problem.code}]`, ` (${problem.help})`] : ['', ''];
  const words = `chat widget${code}: ${problem instanceof Error ? problem.message : String(problem)}${help}`;
  const kind = code || words;
  if (!warned.has(kind)) {
    warned.add(kind);
    // Pages stub the console, and not all of it.
    console.warn?.(words);
  }
}
