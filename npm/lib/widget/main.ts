/**
 * The script tag's entry: `<script src="…/widget.v1.js" async></script>`.
 *
 * It runs in pages that are not ours: it leaves one global mark, throws nothing into the page, and a
 * second copy does nothing. The visitor counts as online from now on, panel open or not.
 */
import { configure } from '../config.js';
import { createConversation } from '../conversation.js';
import type { ConversationSnapshot } from '../conversation/room.js';
import { ChatError } from '../errors.js';
import { fallbackBeside } from './fallback.js';
import { readOptions, type WidgetOptions } from './options.js';
import { REFUSALS } from './refusals.js';
import { mount, type Status, type View } from './view.js';

const MARK = Symbol.for('@amoiq/chat-widget/v1');

const page = globalThis as { [MARK]?: true };
if (typeof document !== 'undefined' && !page[MARK]) {
  page[MARK] = true;
  const script = document.currentScript as HTMLScriptElement | null;
  guarded(() => {
    const options = readOptions(window.ChatWidgetConfig, script?.src || undefined);
    // A copy of its own lives in this script: this configures nothing of the page's.
    configure({
      gatewayUrl: options.baseUrl,
      apiKey: options.apiKey,
      fallback: fallbackBeside(script),
    });
    if (document.body) {
      start(options);
    } else {
      document.addEventListener('DOMContentLoaded', () => guarded(() => start(options)));
    }
  });
}

function start(options: WidgetOptions): void {
  const { siteId } = options;
  const conversation = createConversation(options.tenantId, {
    websiteInfo: siteId === undefined ? {} : { siteId },
  });
  const view = mount(document.body, options.left, {
    send: conversation.send,
    retry: ({ clientId }) => clientId !== null && conversation.retry(clientId),
  });
  let shown = conversation.getSnapshot();
  conversation.subscribe(() => {
    const before = shown;
    shown = conversation.getSnapshot();
    show(view, before, shown);
  });
}

function show(view: View, before: ConversationSnapshot, now: ConversationSnapshot): void {
  if (now.isConnected !== before.isConnected || now.error !== before.error) {
    view.status(statusOf(now));
  }
  if (now.error && now.error !== before.error) {
    complain(now.error);
  }
  if (now.messages === before.messages) {
    return;
  }
  view.show(now.messages);
  // What was said before this page was opened is no news.
  const isPast = before.isLoading && !now.isLoading;
  const known = new Map(before.messages.map((message) => [message.key, message.state]));
  for (const { key, sender, state, error } of now.messages) {
    if (!isPast && sender !== 'user' && !known.has(key)) {
      view.announce();
    }
    if (state === 'failed' && known.get(key) !== 'failed' && error !== now.error) {
      complain(error);
    }
  }
}

function statusOf({ isConnected, error }: ConversationSnapshot): Status {
  if (isConnected) {
    return 'online';
  }
  return error && REFUSALS.has(error.code) ? 'failed' : 'offline';
}

function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    complain(error);
  }
}

/** For the page's developer; visitors see the panel's status. */
function complain(error: unknown): void {
  const code = error instanceof ChatError ? ` [${error.code}]` : '';
  console.warn(`chat widget${code}: ${error instanceof Error ? error.message : String(error)}`);
}
