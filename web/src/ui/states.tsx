/** The three states every list has besides being full: loading, empty and failed. */
import { CircleAlert, RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';
import { messageOf } from '../api/failure';
import { strings } from '../strings';
import { Button } from './button';
import { Mark } from './mark';
import { Sentence } from './sentence';

export function Skeleton({ lines = 6, className = '' }: { lines?: number; className?: string }) {
  const widths = ['w-3/4', 'w-full', 'w-5/6', 'w-2/3'];
  return (
    <div role="status" className={`flex flex-col gap-5 p-4 ${className}`}>
      <span className="sr-only">{strings.loading}</span>
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} aria-hidden className="breathe flex flex-col gap-2">
          <div className={`h-3 rounded bg-sunken ${widths[i % widths.length] ?? ''}`} />
          <div className={`h-2.5 rounded bg-sunken ${widths[(i + 2) % widths.length] ?? ''}`} />
        </div>
      ))}
    </div>
  );
}

/** `page` where it is all that an address has to show. */
export function Empty({ title, hint, page = false, children }: { title: string; hint: string; page?: boolean; children?: ReactNode }) {
  const Title = page ? 'h1' : 'p';
  return (
    <div className="flex h-full flex-col items-center justify-center gap-1.5 px-8 py-12 text-center">
      <Mark className="mb-2 size-10 opacity-80" />
      <Title className="text-lg font-semibold">{title}</Title>
      <p className="max-w-sm text-sm text-balance text-soft">
        <Sentence text={hint} typed />
      </p>
      {children && <div className="mt-3">{children}</div>}
    </div>
  );
}

/** What failed, why, and a way to try again. */
export function Failure({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  return (
    <div role="alert" className="m-4 flex items-start gap-3 rounded-xl border border-line bg-surface p-4">
      <CircleAlert aria-hidden className="mt-0.5 size-4.5 shrink-0 text-bad" />
      <div className="flex min-w-0 flex-col items-start gap-2">
        <div>
          <p className="font-semibold">{what}</p>
          <p className="text-sm break-words text-soft">{messageOf(error)}</p>
        </div>
        {retry && (
          <Button size="small" onClick={retry}>
            <RotateCw aria-hidden className="size-3.5" />
            {strings.retry}
          </Button>
        )}
      </div>
    </div>
  );
}

/** A line under a form or a button that says what went wrong. */
export function Problem({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <p role="alert" className="text-sm text-bad">
      {messageOf(error)}
    </p>
  );
}
