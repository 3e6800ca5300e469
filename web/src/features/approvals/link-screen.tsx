/** Where a link from a message arrives: it is used up, and its action shown. Opening it decides nothing. */
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Navigate, useLocation } from 'react-router';
import { api, body, chooseWorkspace } from '../../api/client';
import { strings } from '../../strings';
import { useTitle } from '../../ui/screen';
import { Failure, Skeleton } from '../../ui/states';

const s = strings.approvals;

export function LinkScreen() {
  const { hash, search } = useLocation();
  const token = new URLSearchParams(hash.slice(1)).get('token') ?? '';
  const workspace = new URLSearchParams(search).get('workspace') ?? '';
  const follow = useMutation({
    mutationFn: () => {
      if (workspace) chooseWorkspace(workspace);
      return body(api.POST('/api/links/follow', { body: { token } }));
    },
  });
  const begun = useRef(false);
  const { mutate } = follow;
  useTitle(s.title);
  useEffect(() => {
    // A link works once: it is followed once, however often this is drawn.
    if (begun.current || !token) return;
    begun.current = true;
    mutate();
  }, [mutate, token]);
  if (follow.data) return <Navigate to={`/approvals/${follow.data.action}`} replace />;
  if (!token) return <Failure what={s.linkFailed} error={new Error(s.linkEmpty)} />;
  if (follow.error) return <Failure what={s.linkFailed} error={follow.error} />;
  return (
    <div role="status" aria-label={s.following}>
      <Skeleton lines={4} className="max-w-2xl" />
    </div>
  );
}
