import { useNavigate } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { chooseWorkspace } from '../../api/client';
import { strings } from '../../strings';
import { useSession } from '../session/queries';

/** Chooses the workspace; nothing where there is no choice. `compact` shows its first letters alone. */
export function WorkspaceSwitcher({ compact = false }: { compact?: boolean }) {
  const session = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  if (session.workspaces.length < 2) return null;
  const name = session.workspaces.find(({ slug }) => slug === session.workspace)?.name ?? session.workspace;
  const choice = (look: string) => (
    <select
      aria-label={strings.frame.workspace}
      title={`${strings.frame.workspace}: ${name}`}
      value={session.workspace}
      className={look}
      onChange={(event) => {
        chooseWorkspace(event.target.value);
        void navigate('/inbox');
        // Everything on screen belongs to the workspace that was left.
        client.clear();
        window.location.reload();
      }}
    >
      {session.workspaces.map((workspace) => (
        <option key={workspace.slug} value={workspace.slug}>
          {workspace.name}
        </option>
      ))}
    </select>
  );
  if (!compact) return choice('m-2 h-9 rounded-lg border border-line-strong bg-surface px-2');
  return (
    <div className="relative mb-1 grid size-8 shrink-0 place-items-center rounded-lg border border-line-strong bg-surface text-xs font-semibold text-soft outline-accent hover:text-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-2">
      <span aria-hidden>{Array.from(name).slice(0, 2).join('')}</span>
      {choice('absolute inset-0 size-full cursor-pointer opacity-0')}
    </div>
  );
}
