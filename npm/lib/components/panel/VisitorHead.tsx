/** Whom the conversation is with, where they are and for how long. */
import type { OnlineUser } from '../../shared.js';
import { Elapsed } from '../Elapsed.js';
import { pageAddress } from '../people.js';
import { VisitorAvatar } from '../VisitorAvatar.js';
import type { ConversationPanelTexts } from './texts.js';

/** What may be known of a visitor: an `OnlineUser`, or as little as the id of one who has gone. */
export type KnownVisitor = Pick<OnlineUser, 'userId'> & Partial<OnlineUser>;

export interface VisitorHeadProps {
  visitor: KnownVisitor | undefined;
  name: string;
  isAway: boolean;
  onClose: (() => void) | undefined;
  text: ConversationPanelTexts;
}

export function VisitorHead({ visitor, name, isAway, onClose, text }: VisitorHeadProps) {
  return (
    <header className="acw-panel-head">
      {onClose && (
        <button type="button" className="acw-close" aria-label={text.close} onClick={onClose} />
      )}
      {visitor && <VisitorAvatar userId={visitor.userId} />}
      <div className="acw-panel-who">
        <h2 className="acw-title" dir="auto">
          {name}
        </h2>
        {visitor && <Place visitor={visitor} />}
        {visitor && !isAway && <Stay visitor={visitor} text={text} />}
      </div>
    </header>
  );
}

function Place({ visitor: { title, url, domain } }: { visitor: KnownVisitor }) {
  const { href, host, path } = pageAddress(url);
  const where = `${host || (domain ?? '')}${path}`;
  return (
    <p className="acw-place" title={where}>
      {title && <span className="acw-place-title" dir="auto">{title}</span>}{' '}
      {href ? (
        <a href={href} target="_blank" rel="noreferrer noopener">
          {where}
        </a>
      ) : (
        <span>{where}</span>
      )}
    </p>
  );
}

function Stay({ visitor, text }: { visitor: KnownVisitor; text: ConversationPanelTexts }) {
  const since = visitor.startedAt ?? visitor.connectedAt;
  const { visits, idleSince, referrer } = visitor;
  const source = pageAddress(referrer).host;
  return (
    <p className="acw-stay">
      {since && (
        <span>
          {text.onSite} <Elapsed since={since} />
        </span>
      )}
      {visits !== undefined && visits > 1 && <span>{text.visits(visits)}</span>}
      {source && (
        <span title={referrer}>
          {text.from} {source}
        </span>
      )}
      {idleSince && (
        <span data-state="idle">
          {text.idle} <Elapsed since={idleSince} />
        </span>
      )}
    </p>
  );
}
