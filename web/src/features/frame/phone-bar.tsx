/** The rail of small screens: a bar at the bottom, and the rest behind "more". */
import { LogOut, Menu } from 'lucide-react';
import { useState } from 'react';
import { NavLink } from 'react-router';
import { strings } from '../../strings';
import { Dialog } from '../../ui/dialog';
import { useSignOut } from '../session/queries';
import { Count } from './rail';
import { ON_A_PHONE, SCREENS } from './screens';
import { WorkspaceSwitcher } from './workspace-switcher';

const CELL = 'relative flex h-14 flex-col items-center justify-center gap-0.5 text-xs';
const ROW = 'flex h-12 w-full items-center gap-3 rounded-lg px-3 hover:bg-hover';

export function PhoneBar({ waiting }: { waiting: number }) {
  const [more, setMore] = useState(false);
  const signOut = useSignOut();
  return (
    <nav aria-label={strings.frame.rail} className="grid shrink-0 grid-cols-5 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] desk:hidden">
      {SCREENS.slice(0, ON_A_PHONE).map(({ to, label, icon: Icon }) => (
        <NavLink
          key={to}
          to={to}
          className={({ isActive }) => `${CELL} ${isActive ? 'font-medium text-accent-strong' : 'text-soft'}`}
        >
          <span className="relative px-4">
            <Icon aria-hidden className="size-5" strokeWidth={1.75} />
            {to === '/approvals' && <Count value={waiting} spoken />}
          </span>
          {label}
        </NavLink>
      ))}
      <button type="button" aria-haspopup="dialog" className={`${CELL} text-soft`} onClick={() => setMore(true)}>
        <Menu aria-hidden className="size-5" strokeWidth={1.75} />
        {strings.frame.more}
      </button>
      {more && (
        <Dialog label={strings.frame.more} onClose={() => setMore(false)} className="w-72">
          <div className="flex flex-col p-2">
            <WorkspaceSwitcher />
            {SCREENS.slice(ON_A_PHONE).map(({ to, label, icon: Icon }) => (
              <NavLink key={to} to={to} className={ROW} onClick={() => setMore(false)}>
                <Icon aria-hidden className="size-5 text-soft" strokeWidth={1.75} />
                {label}
              </NavLink>
            ))}
            <button type="button" className={ROW} onClick={() => signOut.mutate()}>
              <LogOut aria-hidden className="size-5 text-soft" strokeWidth={1.75} />
              {strings.frame.signOut}
            </button>
          </div>
        </Dialog>
      )}
    </nav>
  );
}
