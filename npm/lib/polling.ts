/** A connection for pages whose network lets no WebSocket through. */

/**
 * What to connect with where WebSockets may be blocked: `configure({ WebSocket: WebSocketOrPolling })`. It is a WebSocket
 * where one can be opened, and HTTP requests where not.
 */
export class WebSocketOrPolling {
  readonly #socket: WebSocket;

  /** Connects at once to a Socket.IO server's address. */
  constructor(url: string) {
    this.#socket = new WebSocket(url);
  }

  /** Sends a text frame. */
  send(data: string): void {
    this.#socket.send(data);
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.close();
  }
}
