/** What stands around every screen: the rail, live updates, the palette and the help. */
import { useQuery } from '@tanstack/react-query';
import { Suspense, useEffect, useState } from 'react';
import { Outlet } from 'react-router';
import { useLiveEvents } from '../../api/live';
import { strings } from '../../strings';
import { useKeys } from '../../ui/keys';
import { Skeleton } from '../../ui/states';
import { waitingActionsQuery } from '../approvals/queries';
import { Boundary } from './boundary';
import { Help } from './help';
import { Palette } from './palette';
import { PhoneBar } from './phone-bar';
import { Rail } from './rail';

type Open = 'palette' | 'help' | null;

export function Frame() {
  const connection = useLiveEvents();
  const waiting = useQuery(waitingActionsQuery).data?.items.length ?? 0;
  const [open, setOpen] = useState<Open>(null);
  useKeys({ '?': () => setOpen('help') });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      setOpen((now) => (now === 'palette' ? null : 'palette'));
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  const close = () => setOpen(null);

  return (
    <div className="flex h-full flex-col desk:flex-row">
      <a href="#main" className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        {strings.skip}
      </a>
      <Rail waiting={waiting} onPalette={() => setOpen('palette')} onHelp={() => setOpen('help')} />
      <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col outline-none">
        {connection === 'lost' && (
          <p role="status" className="bg-warn-soft px-4 py-1.5 text-center text-sm text-warn">
            {strings.live.lost}
          </p>
        )}
        <div className="min-h-0 flex-1">
          <Boundary>
            <Suspense fallback={<Skeleton />}>
              <Outlet />
            </Suspense>
          </Boundary>
        </div>
      </main>
      <PhoneBar waiting={waiting} />
      {open === 'palette' && <Palette onClose={close} />}
      {open === 'help' && <Help onClose={close} />}
    </div>
  );
}
