'use client';
/**
 * `useConversation`: the store of `../conversation.ts` for React 18 and later.
 *
 * Components with the same tenant and options see the same messages. The result is the same object until something in
 * it changes; its functions stay as long as tenant and options do.
 */
import { useMemo, useSyncExternalStore } from 'react';
import {
  createConversation,
  type Conversation,
  type ConversationOptions,
  type ConversationSnapshot,
} from '../shared.js';

/** The conversation as it is now, and what can be done in it. */
export interface UseConversationResult extends ConversationSnapshot {
  /** Says something; it is in `messages` at once. Returns its `clientId`. */
  readonly send: (text: string) => string;
  /** Sends a message that has failed once more; with `text`, also one that has failed by another session of the visitor. */
  readonly retry: (clientId: string, text?: string) => void;
  /** Reads the messages so far. Never rejects: a failure shows in `error`. */
  readonly loadHistory: () => Promise<void>;
}

/**
 * A conversation, in a component.
 *
 * @param tenantId null while it is not known: nothing connects, and what is sent goes nowhere.
 * @param options `sessionId` for staff who answer a visitor; `websiteInfo` for visitors.
 */
export function useConversation(
  tenantId: string | null,
  options: ConversationOptions = {},
): UseConversationResult {
  // By value: pages write the options down anew in each render.
  const { visit, ...rest } = options;
  const key = JSON.stringify(rest);
  const conversation = useMemo(() => {
    const same = JSON.parse(key) as ConversationOptions;
    return tenantId ? createConversation(tenantId, { ...same, visit }) : nowhere;
  }, [tenantId, key, visit]);
  const { subscribe, getSnapshot, getServerSnapshot } = conversation;
  const snapshot = useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot);
  return useMemo(() => {
    const { send, retry, loadHistory } = conversation;
    return { ...snapshot, send, retry, loadHistory };
  }, [snapshot, conversation]);
}

const nothing: ConversationSnapshot = {
  messages: [],
  isLoading: false,
  error: null,
  isConnected: false,
};

const nowhere: Omit<Conversation, 'close'> = {
  subscribe: () => () => {},
  getSnapshot: () => nothing,
  getServerSnapshot: () => nothing,
  send: () => '',
  retry: () => {},
  loadHistory: async () => {},
};
