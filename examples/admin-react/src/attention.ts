/** What asks for attention while one looks elsewhere: the number in the title, and a sound for those who want it. */
import type { ConversationSummary, ConversationsSnapshot } from '@amoiq/chat-widget';
import { useEffect, useRef, useState } from 'react';

const TITLE = document.title;
/** Where it is remembered that somebody wants to hear. */
const STORED = 'desk-sound';

/** The last word is the visitor's. */
export function isWaiting({ lastMessage }: ConversationSummary): boolean {
  return lastMessage.sender === 'user';
}

/** How many of those that are listed so far; nothing if there are none. */
export function counted(count: number, hasMore: boolean): string {
  return count === 0 ? '' : `${count}${hasMore ? '+' : ''}`;
}

/** Puts the number of those who wait before the page's title. */
export function useTitle(waiting: string): void {
  useEffect(() => {
    document.title = waiting ? `(${waiting}) ${TITLE}` : TITLE;
  }, [waiting]);
}

export interface Sound {
  readonly isOn: boolean;
  readonly toggle: () => void;
}

/** A sound when a visitor has said something new. Off until somebody switches it on. */
export function useSound({ conversations, isLoading }: ConversationsSnapshot): Sound {
  const [isOn, setIsOn] = useState(wasOn);
  const newest = conversations.find(isWaiting)?.updatedAt ?? '';
  /** What was there when the page was opened is no news. Null until that is known. */
  const heard = useRef<string | null>(null);
  useEffect(() => {
    if (isLoading) {
      return;
    }
    if (isOn && heard.current !== null && newest > heard.current) {
      ring();
    }
    heard.current = newest > (heard.current ?? '') ? newest : (heard.current ?? '');
  }, [newest, isLoading, isOn]);
  const toggle = () => {
    remember(!isOn);
    setIsOn(!isOn);
    if (!isOn) {
      ring();
    }
  };
  return { isOn, toggle };
}

function wasOn(): boolean {
  try {
    return localStorage.getItem(STORED) === 'on';
  } catch {
    return false;
  }
}

function remember(isOn: boolean): void {
  try {
    localStorage.setItem(STORED, isOn ? 'on' : 'off');
  } catch {
    // It lasts as long as the page.
  }
}

let audio: AudioContext | undefined;

/** Two soft notes. Browsers let a page be heard only after somebody has used it. */
function ring(): void {
  audio ??= new AudioContext();
  for (const [frequency, after] of [
    [660, 0],
    [880, 0.12],
  ] as const) {
    const [tone, volume, at] = [audio.createOscillator(), audio.createGain(), audio.currentTime + after];
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.12, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.3);
  }
}
