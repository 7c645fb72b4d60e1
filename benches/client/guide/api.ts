/** The guide's HTTP client, as far as a dashboard needs it. */
import { environment } from './environment.ts';
import type { OnlineUser } from './ws.ts';

export class ChatAPI {
  readonly #tenantId: string;

  constructor(tenantId: string) {
    this.#tenantId = tenantId;
  }

  async getOnlineUsers(): Promise<OnlineUser[]> {
    const url = new URL('/api/chat/online-users', environment.gatewayUrl);
    url.searchParams.set('tenantId', this.#tenantId);
    const response = await fetch(url, {
      headers: {
        Authorization: `Bearer ${environment.apiKey}`,
        'X-Tenant-ID': this.#tenantId,
      },
    });
    if (!response.ok) throw new Error(`The list was answered with ${response.status}`);
    const { users } = (await response.json()) as { users?: OnlineUser[] };
    return users ?? [];
  }
}
