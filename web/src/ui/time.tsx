/** Times for people: relative, with the exact moment on hover, in the viewer's zone. */
import { useSyncExternalStore } from 'react';
import { strings } from '../strings';

const TICK_MS = 15_000;
let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(changed: () => void): () => void {
  watchers.add(changed);
  timer ??= setInterval(() => {
    now = Date.now();
    watchers.forEach((tell) => tell());
  }, TICK_MS);
  return () => {
    watchers.delete(changed);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The present in milliseconds, moving on every few seconds. */
export function useNow(): number {
  return useSyncExternalStore(watch, () => now);
}

const UNITS: [Intl.RelativeTimeFormatUnit, number, string][] = [
  ['day', 86_400_000, 'd'],
  ['hour', 3_600_000, 'h'],
  ['minute', 60_000, 'min'],
];

/** A length of time in its largest unit: `3 h`, `12 min`. */
export function span(millis: number): string {
  const size = Math.abs(millis);
  for (const [, length, short] of UNITS) {
    if (size >= length) return `${Math.floor(size / length)} ${short}`;
  }
  return '< 1 min';
}

export function ago(moment: string, present: number): string {
  const millis = Date.parse(moment) - present;
  for (const [unit, length] of UNITS) {
    if (Math.abs(millis) >= length) {
      return new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' }).format(Math.trunc(millis / length), unit);
    }
  }
  return strings.time.now;
}

export function exact(moment: string): string {
  return new Date(moment).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

export function Moment({ at, className }: { at: string; className?: string }) {
  const present = useNow();
  return (
    <time dateTime={at} title={exact(at)} className={`whitespace-nowrap ${className ?? ''}`}>
      {ago(at, present)}
    </time>
  );
}
