/**
 * The messages, oldest first. Who reads at the end stays there as more is said; who reads further up is not moved, and is
 * told that there is something new.
 */
import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { ConversationMessage } from '../../shared.js';
import { useAtNow } from '../clock.js';
import { dayName, timeOfDay } from '../times.js';
import { arrange, type Run } from './arrange.js';
import type { ConversationPanelTexts } from './texts.js';

export interface MessageLogProps {
  messages: readonly ConversationMessage[];
  isLoading: boolean;
  retry: (clientId: string) => void;
  /** What the visitor is called. */
  visitor: string;
  text: ConversationPanelTexts;
  locale: string | undefined;
}

export function MessageLog({ messages, isLoading, retry, visitor, text, locale }: MessageLogProps) {
  const minute = useAtNow((now) => Math.floor(now / 60_000) * 60_000);
  const log = useRef<HTMLDivElement>(null);
  const { hasNews, onScroll, showEnd } = useEnd(log, messages);
  return (
    <div className="acw-log-frame">
      <div
        ref={log}
        className="acw-log"
        role="log"
        aria-label={text.title}
        aria-busy={isLoading}
        tabIndex={0}
        onScroll={onScroll}
      >
        {messages.length === 0 && (isLoading ? <Loading text={text} /> : <Silence text={text} />)}
        <Runs messages={messages} now={minute} retry={retry} visitor={visitor} text={text} locale={locale} />
      </div>
      {hasNews && (
        <button type="button" className="acw-new" onClick={showEnd}>
          {text.newMessages}
        </button>
      )}
    </div>
  );
}

type RunsProps = Omit<MessageLogProps, 'isLoading'> & { now: number };

function Runs({ messages, now, retry, visitor, text, locale }: RunsProps) {
  const names = { user: visitor, agent: text.agent, bot: text.bot };
  const runs = useMemo(() => arrange(messages, now), [messages, now]);
  return runs.map((run) => (
    <div key={run.key} className="acw-run" data-sender={run.sender}>
      {run.opensDay && <p className="acw-day">{dayName(run.at, now, locale)}</p>}
      <p className="acw-run-head">
        <span className="acw-sender" dir="auto">
          {names[run.sender]}
        </span>{' '}
        <time dateTime={new Date(run.at).toISOString()}>{timeOfDay(run.at, locale)}</time>
      </p>
      <Messages run={run} retry={retry} text={text} />
    </div>
  ));
}

function Messages({ run, retry, text }: { run: Run } & Pick<MessageLogProps, 'retry' | 'text'>) {
  return run.messages.map(({ key, text: said, state, error, clientId }) => (
    <div key={key} className="acw-message" data-sender={run.sender} data-state={state}>
      <p className="acw-bubble" dir="auto">
        {said}
      </p>
      {state !== 'delivered' && (
        <p className="acw-fate">
          {state === 'failed' ? text.failed : error ? text.delayed : text.sending}
          {error && `: ${text.problem(error)}`}
          {state === 'failed' && clientId !== null && (
            <button type="button" className="acw-link" onClick={() => retry(clientId)}>
              {text.retry}
            </button>
          )}
        </p>
      )}
    </div>
  ));
}

function Loading({ text }: Pick<MessageLogProps, 'text'>) {
  return (
    <div className="acw-log-note">
      <p>{text.loading}</p>
    </div>
  );
}

function Silence({ text }: Pick<MessageLogProps, 'text'>) {
  return (
    <div className="acw-log-note">
      <p className="acw-log-empty">{text.empty}</p>
      <p>{text.emptyHint}</p>
    </div>
  );
}

/** So near to the end counts as being there, since places of scrolling are not whole pixels everywhere. */
const NEAR = 24;

/** Before anybody sees it. On a server nobody does, and React 18 complains of effects that would have to be early there. */
const useVisibleEffect = typeof window === 'undefined' ? useEffect : useLayoutEffect;

/** How far it can be scrolled. */
const furthest = (element: Element) => element.scrollHeight - element.clientHeight;

const bottom = (element: Element) => element.getBoundingClientRect().bottom;

function useEnd(log: RefObject<HTMLDivElement | null>, messages: readonly ConversationMessage[]) {
  // By where it is and where the end was, not by events: those of scrolling come a frame later, and a message may be faster.
  const end = useRef(0);
  const isAtEnd = (element: Element) =>
    element.scrollTop + NEAR >= Math.min(end.current, furthest(element));
  /** By what was last before: there is an end to what is kept, so that the place of all may have changed. */
  const wasAtEnd = (element: Element, before: ConversationMessage | undefined) => {
    const index = messages.findIndex(({ key }) => key === before?.key);
    const message = element.querySelectorAll('.acw-message')[index];
    return message ? bottom(message) <= bottom(element) : isAtEnd(element);
  };
  const [hasNews, setHasNews] = useState(false);
  const last = messages.at(-1);
  const shown = useRef(last);

  const showEnd = () => {
    const element = log.current;
    if (element) {
      element.scrollTo({ top: element.scrollHeight });
      end.current = furthest(element);
    }
    setHasNews(false);
  };
  useVisibleEffect(() => {
    const element = log.current;
    const before = shown.current;
    // Read again by another session, it may have another key.
    const isNew = last?.key !== before?.key && (last?.id ?? null) !== (before?.id ?? undefined);
    shown.current = last;
    if (!element || wasAtEnd(element, before) || (isNew && last?.state === 'pending')) {
      showEnd();
    } else {
      end.current = furthest(element);
      setHasNews((already) => already || isNew);
    }
  }, [messages]);

  // Less room, as beside a keyboard on the screen, takes nobody away from the end.
  useEffect(() => {
    const element = log.current;
    if (!element || typeof ResizeObserver === 'undefined') {
      return undefined;
    }
    const observer = new ResizeObserver(() => {
      if (isAtEnd(element)) {
        showEnd();
      } else {
        end.current = furthest(element);
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const onScroll = () => {
    const element = log.current;
    if (element) {
      end.current = furthest(element);
      setHasNews((before) => before && !isAtEnd(element));
    }
  };
  return { hasNews, onScroll, showEnd };
}
