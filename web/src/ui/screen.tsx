/** The frame of a screen that is one column: its title, what it is for, and what can be done. */
import { useEffect, type ReactNode } from 'react';
import { strings } from '../strings';

/** Names the browser's tab after the screen. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === strings.name ? title : `${title} · ${strings.name}`;
  }, [title]);
}

export function Screen({
  title,
  intro,
  actions,
  children,
}: {
  title: string;
  intro?: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useTitle(title);
  return (
    // What scrolls can be reached and scrolled by keyboard, whatever stands in it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="h-full overflow-y-auto bg-canvas outline-offset-[-2px]" tabIndex={0} role="region" aria-label={title}>
      <div className="mx-auto flex max-w-4xl flex-col gap-6 px-4 py-6 desk:px-8 desk:py-8">
        <header className="flex flex-col items-start gap-3 desk:flex-row desk:items-end">
          <div className="min-w-0 desk:flex-1">
            <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
            {intro && <p className="text-soft">{intro}</p>}
          </div>
          {actions}
        </header>
        {children}
      </div>
    </div>
  );
}

export function Card({ children, className = '' }: { children: ReactNode; className?: string }) {
  return <section className={`rounded-xl border border-line bg-surface ${className}`}>{children}</section>;
}

/** A few small words above a group. */
export function Label({ children }: { children: ReactNode }) {
  return <p className="text-xs font-semibold text-faint">{children}</p>;
}
