/** What a consumer may write of the components. It is compiled against the built package, and never run. */
import type { ConversationSummary, OnlineUser } from '@amoiq/chat-widget';
import {
  ConnectionStatus,
  type ConnectionStatusProps,
  type ConnectionStatusTexts,
  ConversationList,
  type ConversationListProps,
  type ConversationListTexts,
  ConversationPanel,
  type ConversationPanelProps,
  type ConversationPanelTexts,
  Elapsed,
  type ElapsedProps,
  type KnownVisitor,
  OnlineHistoryChart,
  type OnlineHistoryChartProps,
  type OnlineHistoryChartTexts,
  OnlineUsersExample,
  type OnlineUsersExampleProps,
  type OnlineUsersExampleTexts,
  ownerOf,
  pageAddress,
  type PageAddress,
  useOnlineUsers,
  VisitorAvatar,
  type VisitorAvatarProps,
  visitorName,
} from '@amoiq/chat-widget/react';

const states: Partial<ConnectionStatusTexts> = { live: 'Live', problem: ({ code }) => code };
const chart: Partial<OnlineHistoryChartTexts> = { reading: (online, peak) => `${online}/${peak}` };
const example: Partial<OnlineUsersExampleTexts> = { count: (users) => `${users}` };
const list: Partial<ConversationListTexts> = { waiting: 'Wartet', problem: ({ code }) => code };
const panel: Partial<ConversationPanelTexts> = { visits: (count) => `${count}`, problem: ({ code, message }) => `${code}: ${message}` };

const everything: [
  ConnectionStatusProps,
  ConversationListProps,
  ConversationPanelProps,
  ElapsedProps,
  OnlineHistoryChartProps,
  OnlineUsersExampleProps,
  VisitorAvatarProps,
] = [
  { connection: { state: 'live', error: null }, texts: states, className: 'mine' },
  { tenantId: '42', selected: null, onSelect: () => {}, texts: list, locale: 'de', className: 'mine' },
  { tenantId: '42', sessionId: 's', texts: panel, autoFocus: false, isAway: true, onFollow: () => {}, locale: 'de' },
  { since: '2024-01-15T10:30:00.000Z' },
  { tenantId: null, online: 3, texts: chart, locale: 'de', className: 'mine' },
  { tenantId: null, pageSize: 10, texts: example, className: 'mine' },
  { userId: 'ann', className: 'mine' },
];

export function Page({ tenantId, user }: { tenantId: string; user: OnlineUser }) {
  const { connection } = useOnlineUsers(tenantId);
  const open = ({ id, userId, sessionId }: ConversationSummary): string => id + ownerOf(userId, sessionId);
  const gone: KnownVisitor = { userId: 'ann' };
  const { href, host, path }: PageAddress = pageAddress(user.url);
  return (
    <main title={`${href ?? ''}${host}${path}${visitorName(user.userId, 'Gast')}${everything.length}`}>
      <ConnectionStatus connection={connection} />
      <OnlineUsersExample tenantId={tenantId} />
      <OnlineHistoryChart tenantId={tenantId} />
      <ConversationList tenantId={tenantId} onSelect={open} />
      <ConversationPanel tenantId={tenantId} sessionId="s" visitor={user} onClose={() => {}} />
      <ConversationPanel tenantId={tenantId} sessionId="s" visitor={gone} />
      <VisitorAvatar userId={user.userId} />
      <Elapsed since={user.startedAt ?? user.connectedAt} />
      {/* @ts-expect-error a conversation is a session's */}
      <ConversationPanel tenantId={tenantId} />
    </main>
  );
}
