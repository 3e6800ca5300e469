/** Lets only those through who are signed in, and dresses the console for their persona. */
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';
import { isSignedOut } from '../../api/failure';
import { strings } from '../../strings';
import { Mark } from '../../ui/mark';
import { Failure } from '../../ui/states';
import { sessionQuery } from './queries';

export function SignedIn() {
  const session = useQuery(sessionQuery);
  const location = useLocation();
  const persona = session.data?.persona;
  useEffect(() => {
    if (persona) document.documentElement.dataset['persona'] = persona;
  }, [persona]);

  if (isSignedOut(session.error)) {
    return <Navigate to="/sign-in" replace state={{ from: location.pathname + location.search + location.hash }} />;
  }
  if (session.data) return <Outlet />;
  if (session.error) return <Failure what={strings.errors.crashed} error={session.error} retry={() => void session.refetch()} />;
  return (
    <div role="status" className="grid h-full place-items-center">
      <Mark className="breathe size-12" />
      <span className="sr-only">{strings.loading}</span>
    </div>
  );
}
