/** The icon rail of wide screens. */
import { CircleHelp, LogOut, Search } from 'lucide-react';
import { Link, NavLink } from 'react-router';
import { strings } from '../../strings';
import { Mark } from '../../ui/mark';
import { useSession, useSignOut } from '../session/queries';
import { SCREENS, type ScreenLink } from './screens';
import { WorkspaceSwitcher } from './workspace-switcher';

const SQUARE = 'relative grid size-10 place-items-center rounded-xl transition-colors';

export function Rail({ waiting, onPalette, onHelp }: { waiting: number; onPalette: () => void; onHelp: () => void }) {
  const session = useSession();
  const signOut = useSignOut();
  return (
    <nav
      aria-label={strings.frame.rail}
      className="hidden w-14 shrink-0 flex-col items-center gap-1 overflow-y-auto border-r border-line bg-canvas py-3 desk:flex"
    >
      <Link to="/inbox" aria-label={strings.name} className="mb-1 rounded-full">
        <Mark className="size-9" />
      </Link>
      <WorkspaceSwitcher compact />
      <RailButton label={`${strings.frame.search} (Ctrl K)`} onClick={onPalette}>
        <Search aria-hidden className="size-5" strokeWidth={1.75} />
      </RailButton>
      <ul className="flex flex-col gap-1">
        {SCREENS.map((screen) => (
          <li key={screen.to}>
            <RailLink screen={screen} count={screen.to === '/approvals' ? waiting : 0} />
          </li>
        ))}
      </ul>
      <div className="mt-auto flex flex-col items-center gap-1 pt-2">
        <RailButton label={`${strings.frame.help} (?)`} onClick={onHelp}>
          <CircleHelp aria-hidden className="size-5" strokeWidth={1.75} />
        </RailButton>
        <RailButton label={`${strings.frame.signOut} (${session.user.name})`} onClick={() => signOut.mutate()}>
          <LogOut aria-hidden className="size-5" strokeWidth={1.75} />
        </RailButton>
      </div>
    </nav>
  );
}

function RailLink({ screen, count }: { screen: ScreenLink; count: number }) {
  const Icon = screen.icon;
  const label = count > 0 ? `${screen.label}: ${strings.frame.waiting(count)}` : screen.label;
  return (
    <NavLink
      to={screen.to}
      aria-label={label}
      title={label}
      className={({ isActive }) =>
        `${SQUARE} ${isActive ? 'bg-accent-soft text-accent-strong' : 'text-soft hover:bg-hover hover:text-ink'}`
      }
    >
      <Icon aria-hidden className="size-5" strokeWidth={1.75} />
      <Count value={count} />
    </NavLink>
  );
}

/** How many wait; `spoken` where the link's own name does not say it. */
export function Count({ value, spoken = false }: { value: number; spoken?: boolean }) {
  if (value === 0) return null;
  return (
    <span
      aria-hidden={!spoken}
      className="absolute top-0.5 right-0.5 grid h-4 min-w-4 place-items-center rounded-full bg-accent px-1 text-xs leading-none font-semibold text-on-accent"
    >
      {value > 99 ? '99' : value}
      {spoken && <span className="sr-only">{strings.frame.waitingFor}</span>}
    </span>
  );
}

function RailButton({ label, onClick, children }: { label: string; onClick: () => void; children: React.ReactNode }) {
  return (
    <button type="button" aria-label={label} title={label} onClick={onClick} className={`${SQUARE} text-soft hover:bg-hover hover:text-ink`}>
      {children}
    </button>
  );
}
