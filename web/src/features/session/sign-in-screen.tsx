import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Navigate, useLocation } from 'react-router';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/field';
import { Problem } from '../../ui/states';
import { sessionQuery, setupQuery, useSignIn } from './queries';
import { Welcome } from './welcome';

/** Where somebody wanted to go before being asked to sign in. */
function wanted(state: unknown): string {
  const from = typeof state === 'object' && state !== null && 'from' in state ? state.from : undefined;
  return typeof from === 'string' && from.startsWith('/') && !from.startsWith('//') ? from : '/inbox';
}

export function SignInScreen() {
  const location = useLocation();
  const session = useQuery({ ...sessionQuery, retry: false });
  const setup = useQuery(setupQuery);
  const signIn = useSignIn();
  const [form, setForm] = useState({ email: '', password: '' });
  const s = strings.session;

  // After a session ended, what was known about it is still there beside the error.
  if (session.isSuccess) return <Navigate to={wanted(location.state)} replace />;
  return (
    <Welcome title={s.title} headline={s.welcome} intro={s.intro}>
      {(setup.data?.demo || setup.data?.needed) && (
        <p className="mb-4 rounded-lg bg-info-soft p-3 text-sm text-info">{setup.data.demo ? s.demoSignedOut : s.setupNeeded}</p>
      )}
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate(form);
        }}
      >
        <TextField
          label={s.email}
          type="email"
          autoComplete="username"
          required
          value={form.email}
          onChange={(event) => setForm({ ...form, email: event.target.value })}
        />
        <TextField
          label={s.password}
          type="password"
          autoComplete="current-password"
          required
          value={form.password}
          onChange={(event) => setForm({ ...form, password: event.target.value })}
        />
        <Problem error={signIn.error} />
        <Button look="primary" type="submit" disabled={signIn.isPending} className="h-9">
          {signIn.isPending ? s.signingIn : s.signIn}
        </Button>
      </form>
    </Welcome>
  );
}
