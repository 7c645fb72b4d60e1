/**
 * The script tag's entry: `<script src="…/widget.v1.js" async></script>`.
 *
 * It runs in pages that are not ours: it leaves one global mark, throws nothing into the page, and a
 * second copy does nothing. The visitor counts as online from now on, panel open or not.
 */
import { configure } from '../config.js';
import { ChatError } from '../errors.js';
import { ChatWebSocket } from '../ws.js';
import * as conversations from './conversation.js';
import type { Conversation } from './conversation.js';
import { fallbackBeside } from './fallback.js';
import { readOptions, type WidgetOptions } from './options.js';
import { REFUSALS } from './refusals.js';
import { mount, type View } from './view.js';

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
  let conversation: Conversation = [];
  let written = 0;
  const show = (next: Conversation) => {
    conversation = next;
    view.show(next);
  };
  const deliver = (key: string, text: string) => {
    socket.sendMessage(text).then(
      ({ messageId }) => show(conversations.accepted(conversation, key, messageId)),
      (error: unknown) => {
        show(conversations.failed(conversation, key));
        complain(error);
      },
    );
  };

  const view: View = mount(document.body, options.left, {
    send(text) {
      const key = `own-${(written += 1)}`;
      show(conversations.written(conversation, key, text));
      deliver(key, text);
    },
    retry({ key, text }) {
      show(conversations.sentAgain(conversation, key));
      deliver(key, text);
    },
  });
  const socket = new ChatWebSocket(
    options.tenantId,
    {
      onConnect: () => view.status('online'),
      onDisconnect: () => view.status('offline'),
      onError(error) {
        if (!socket.isConnected()) {
          view.status(error instanceof ChatError && REFUSALS.has(error.code) ? 'failed' : 'offline');
        }
        complain(error);
      },
      onMessage(message) {
        const before = conversation.length;
        show(conversations.received(conversation, message));
        if (message.sender !== 'user' && conversation.length > before) {
          view.announce();
        }
      },
    },
    options.siteId === undefined ? {} : { siteId: options.siteId },
  );
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
