import { queryOptions, useQueryClient, useMutation, useSuspenseQuery } from '@tanstack/react-query';
import { api, body, chooseWorkspace, chosenWorkspace, rememberCsrf } from '../../api/client';
import { ApiFailure } from '../../api/failure';
import { keys } from '../../api/keys';
import type { Session } from '../../api/types';

export const setupQuery = queryOptions({
  queryKey: keys.setup,
  queryFn: () => body(api.GET('/api/setup')),
});

async function readSession(): Promise<Session> {
  try {
    return await body(api.GET('/api/session'));
  } catch (error) {
    // The chosen workspace may be gone, or this person may not see it any more.
    const gone = error instanceof ApiFailure && (error.status === 404 || error.status === 403);
    if (!gone || !chosenWorkspace()) throw error;
    chooseWorkspace('');
    return body(api.GET('/api/session'));
  }
}

export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: async () => {
    const session = await readSession();
    rememberCsrf(session.csrf);
    return session;
  },
  staleTime: 60_000,
});

/** Who is signed in; only below the guard, which has asked already. */
export function useSession(): Session {
  return useSuspenseQuery(sessionQuery).data;
}

export function useCanDecide(): boolean {
  return useSession().user.role !== 'viewer';
}

export function useIsAdmin(): boolean {
  return useSession().user.role === 'admin';
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (form: { email: string; password: string }) => body(api.POST('/api/session', { body: form })),
    onSuccess: async (signedIn) => {
      rememberCsrf(signedIn.csrf);
      // Another person may have been signed in here before.
      client.removeQueries({ queryKey: keys.all });
      await client.resetQueries({ queryKey: keys.session });
    },
  });
}

export function useSetUp() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (form: { token: string; email?: string; name?: string; password?: string }) =>
      body(api.POST('/api/setup', { body: form })),
    onSuccess: async (signedIn) => {
      rememberCsrf(signedIn.csrf);
      await client.invalidateQueries({ queryKey: keys.setup });
      await client.resetQueries({ queryKey: keys.session });
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.DELETE('/api/session')),
    onSettled: () => {
      rememberCsrf('');
      // Not before the page goes: a screen that is still there would ask anew who is signed in.
      window.addEventListener('pagehide', () => client.clear(), { once: true });
      window.location.assign('/sign-in');
    },
  });
}
