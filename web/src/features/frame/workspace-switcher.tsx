import { useNavigate } from 'react-router';
import { useQueryClient } from '@tanstack/react-query';
import { chooseWorkspace } from '../../api/client';
import { strings } from '../../strings';
import { useSession } from '../session/queries';

/** Chooses the workspace; nothing where there is no choice. */
export function WorkspaceSwitcher({ className }: { className: string }) {
  const session = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  if (session.workspaces.length < 2) return null;
  return (
    <select
      aria-label={strings.frame.workspace}
      title={strings.frame.workspace}
      value={session.workspace}
      className={className}
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
}
