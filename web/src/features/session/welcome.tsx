/** The quiet page that signing in and setting up share. */
import type { ReactNode } from 'react';
import { Mark } from '../../ui/mark';
import { useTitle } from '../../ui/screen';

export function Welcome({ title, headline, intro, children }: { title: string; headline: string; intro: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="grid h-full overflow-y-auto bg-canvas px-4 py-10">
      <div className="m-auto flex w-full max-w-sm flex-col gap-6">
        <div className="flex flex-col items-center gap-3 text-center">
          <Mark className="size-16" />
          <div>
            <h1 className="text-2xl font-semibold tracking-tight">{headline}</h1>
            <p className="text-soft">{intro}</p>
          </div>
        </div>
        <div className="rounded-2xl border border-line bg-surface p-6 shadow-float">{children}</div>
      </div>
    </main>
  );
}
