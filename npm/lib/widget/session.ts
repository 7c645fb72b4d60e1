/**
 * The visitor's connection: the conversation, the visit, and who the visitor is. Before `start` it does nothing at all; the
 * conversation of a former visitor says nothing any more.
 */
import { configure } from '../config.js';
import { createConversation, type Conversation } from '../conversation.js';
import type { ConversationSnapshot } from '../conversation/room.js';
import { followVisit, type Visit } from '../visit.js';
import type { Proof, WidgetOptions } from './config.js';

const NOTHING: ConversationSnapshot = { messages: [], isLoading: false, error: null, isConnected: false };

export class Session {
  readonly #options: WidgetOptions;
  readonly #changed: () => void;
  #proof: Proof;
  #conversation: Conversation | undefined;
  #visit: Visit | undefined;

  /** `changed` is called whenever the snapshot may be another one. */
  constructor(options: WidgetOptions, changed: () => void) {
    this.#options = options;
    this.#changed = changed;
    this.become(options.proof);
  }

  get snapshot(): ConversationSnapshot {
    return this.#conversation?.getSnapshot() ?? NOTHING;
  }

  get isStarted(): boolean {
    return this.#conversation !== undefined;
  }

  /** The visit begins now, though it is told later. */
  follow(): Visit {
    this.#visit ??= followVisit({ fullUrls: this.#options.fullUrls });
    return this.#visit;
  }

  start(): void {
    if (!this.#conversation) {
      const { tenantId, siteId } = this.#options;
      const visit = this.follow();
      const { url, referrer = '' } = visit.getSnapshot();
      // The handshake says no more of the address than the visit does.
      const websiteInfo = { url, referrer, ...(siteId !== undefined && { siteId }) };
      this.#conversation = createConversation(tenantId, { websiteInfo, visit, keepUnsent: true });
      this.#conversation.subscribe(this.#changed);
    }
  }

  /** The visitor is somebody else from now on. */
  identify(proof: Proof): void {
    const wasStarted = this.isStarted;
    this.#leave();
    this.become(proof);
    if (wasStarted) {
      this.start();
    }
  }

  get proof(): Proof {
    return this.#proof;
  }

  send(text: string): void {
    this.#conversation?.send(text);
  }

  retry(clientId: string): void {
    this.#conversation?.retry(clientId);
  }

  end(): void {
    this.#leave();
    this.#visit?.close();
    this.#visit = undefined;
  }

  /** What proves who the visitor is from the next connect on. */
  become(proof: Proof): void {
    this.#proof = proof;
    const { apiKey } = this.#options;
    configure({ getToken: typeof proof === 'string' ? () => proof : proof, apiKey });
  }

  #leave(): void {
    this.#conversation?.close();
    this.#conversation = undefined;
  }
}
