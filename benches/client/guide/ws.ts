/**
 * The guide's socket client: `socket.io-client`, and callbacks for the events that a dashboard follows.
 *
 * It asks for a WebSocket at once. With the library's default, polling first, it would only be later.
 */
import { io, type Socket } from 'socket.io-client';
import { environment } from './environment.ts';

export interface OnlineUser {
  userId: string;
  sessionId?: string;
  connectedAt: string;
  domain?: string;
  origin?: string;
  url?: string;
}

export interface WebSocketCallbacks {
  onConnect?: () => void;
  onDisconnect?: () => void;
  onError?: (error: Error) => void;
  onUserOnline?: (user: OnlineUser) => void;
  onUserOffline?: (userId: string) => void;
  onOnlineUsersList?: (users: OnlineUser[]) => void;
}

export class ChatWebSocket {
  readonly #tenantId: string;
  readonly #socket: Socket;

  constructor(tenantId: string, callbacks: WebSocketCallbacks, isAdmin: boolean) {
    const role = isAdmin ? 'admin' : 'user';
    this.#tenantId = tenantId;
    this.#socket = io(environment.websocketUrl, {
      transports: ['websocket', 'polling'],
      query: { tenantId, role },
      auth: { token: environment.apiKey, role },
    });
    this.#socket.on('connect', () => callbacks.onConnect?.());
    this.#socket.on('disconnect', () => callbacks.onDisconnect?.());
    this.#socket.on('connect_error', (error) => callbacks.onError?.(error));
    this.#socket.on('user_online', (user: OnlineUser) => callbacks.onUserOnline?.(user));
    this.#socket.on('user_offline', (gone: { userId: string } | string) =>
      callbacks.onUserOffline?.(typeof gone === 'string' ? gone : gone.userId),
    );
    this.#socket.on('online_users_list', (list: { users: OnlineUser[] } | OnlineUser[]) =>
      callbacks.onOnlineUsersList?.(Array.isArray(list) ? list : list.users),
    );
  }

  requestOnlineUsers(): void {
    this.#socket.emit('get_online_users', { tenantId: this.#tenantId });
  }

  disconnect(): void {
    this.#socket.disconnect();
  }
}
