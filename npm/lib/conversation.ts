/**
 * A conversation as an external store: `subscribe` and `getSnapshot`, nothing of any framework.
 *
 * - A snapshot is the same object until something in it changes.
 * - The first subscriber starts the work; the last one to leave ends it, as soon as what was written is delivered
 *   or has failed.
 * - What is written stands in the snapshot at once. It waits for the connection, is sent in order, and is sent again
 *   after a failure that may pass: the server takes it once.
 * - Conversations of the same tenant and options share one connection and all messages.
 */
import { tell, type Listeners } from './audience.js';
import { currentConfig } from './config.js';
import {
  type ConversationSnapshot,
  openingSnapshot,
  Room,
  type Speaker,
} from './conversation/room.js';
import { Shelf } from './conversation/unsent.js';
import { canConnect } from './core.js';
import { randomId } from './page.js';
import type { WebsiteInfo } from './types.js';
import type { Visit } from './visit.js';

/** Whose conversation it is. */
export interface ConversationOptions {
  /** Staff: the session whose conversation is followed and answered. Without it, a visitor's own. */
  sessionId?: string | undefined;
  /** Visitors: what the page tells of itself. */
  websiteInfo?: WebsiteInfo | undefined;
  /** Visitors: the visit that is told to the server at each connect, and as it changes. Default: none. */
  visit?: Visit | undefined;
  /**
   * Keeps what is not delivered for as long as the tab lives: after a reload, and on another page of the site, it is in
   * the snapshot again and is sent. It is kept for the same visitor alone. Default: false.
   */
  keepUnsent?: boolean | undefined;
}

/** A conversation as it is said, for any framework or none. */
export interface Conversation {
  /** Calls `listener` after each change; the result unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;
  /** What is known now: the same object until something in it changes. */
  readonly getSnapshot: () => ConversationSnapshot;
  /** What a server renders. */
  readonly getServerSnapshot: () => ConversationSnapshot;
  /** Says something. It shows in the snapshot, under the name that is returned. */
  readonly send: (text: string) => string;
  /**
   * Sends a message that has failed once more. With `text`, it may have failed by another session of the same visitor:
   * should it have got there all the same, it is not said twice.
   */
  readonly retry: (clientId: string, text?: string) => void;
  /** Reads the messages so far, which also happens by itself. What comes of it shows in the snapshot. */
  readonly loadHistory: () => Promise<void>;
  /** Drops all subscribers, and gives up what is under way, unless others read the same conversation. */
  readonly close: () => void;
}

/** The conversations that run. */
const rooms = new Map<string, Room>();

/**
 * A store of a conversation. It does nothing before its first subscriber or message; stores for the same
 * tenant and options share one connection and all messages.
 */
export function createConversation(
  tenantId: string,
  { sessionId, websiteInfo, visit, keepUnsent }: ConversationOptions = {},
): Conversation {
  const speaker: Speaker = { tenantId, sessionId, website: websiteInfo };
  const atFirst = openingSnapshot(speaker);
  const listeners: Listeners = new Set();
  const notify = () => tell(listeners);
  let room: Room | undefined;

  const enter = (): Room => {
    if (!room || room.isOver) {
      room = enterRoom(speaker, room?.snapshot);
      // Staff are on no page of the site.
      if (visit && sessionId === undefined) {
        room.follow(visit);
      }
      if (keepUnsent && canConnect()) {
        room.keep(shelfOf(speaker));
      }
    }
    return room;
  };

  return {
    subscribe(listener) {
      // A wrapper of its own, so that one function may subscribe twice.
      const entry = () => listener();
      listeners.add(entry);
      enter().add(notify);
      return () => {
        listeners.delete(entry);
        if (listeners.size === 0) {
          room?.remove(notify);
        }
      };
    },
    getSnapshot: () => room?.snapshot ?? atFirst,
    getServerSnapshot: () => atFirst,
    send(text) {
      const clientId = randomId();
      enter().send(clientId, text);
      return clientId;
    },
    retry: (clientId, text) => enter().retry(clientId, text),
    loadHistory: async () => (canConnect() ? enter().loadHistory() : undefined),
    close() {
      listeners.clear();
      room?.close(notify);
    },
  };
}

/** A server has been reached: those that wait to be connected again need not wait any longer. */
export function reconnectConversations(): void {
  rooms.forEach((room) => room.reconnect());
}

/** The site's other pages keep theirs in the same place, whatever they say of themselves. */
function shelfOf({ tenantId, sessionId }: Speaker): Shelf {
  const { gatewayUrl, websocketUrl } = currentConfig();
  return new Shelf(JSON.stringify([tenantId, sessionId, websocketUrl || gatewayUrl]));
}

function enterRoom(speaker: Speaker, before: ConversationSnapshot | undefined): Room {
  const { gatewayUrl, websocketUrl } = currentConfig();
  const key = JSON.stringify([speaker, gatewayUrl, websocketUrl]);
  const running = rooms.get(key);
  if (running) {
    return running;
  }
  const room = new Room(speaker, before, () => {
    if (rooms.get(key) === room) {
      rooms.delete(key);
    }
  });
  rooms.set(key, room);
  return room;
}
