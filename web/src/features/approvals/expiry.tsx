import type { Action } from '../../api/types';
import { strings } from '../../strings';
import { exact, span, useNow } from '../../ui/time';

export function Expiry({ action }: { action: Action }) {
  const now = useNow();
  if (action.state !== 'proposed') return null;
  const left = Date.parse(action.expires_at) - now;
  return (
    <span title={exact(action.expires_at)} className="text-xs whitespace-nowrap text-faint">
      {left > 0 ? strings.time.expiresIn(span(left)) : strings.time.expired}
    </span>
  );
}
