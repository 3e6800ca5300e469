import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { strings } from '../../strings';
import { Button, buttonLook } from '../../ui/button';
import { TextField } from '../../ui/field';
import { Problem } from '../../ui/states';
import { setupQuery, useSetUp } from './queries';
import { Welcome } from './welcome';

const SHORTEST_PASSWORD = 12;

/** The one-time token, which stands behind the `#` so that no server log ever sees it. */
export function tokenFrom(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') ?? '';
}

export function SetupScreen() {
  const [token] = useState(() => tokenFrom(window.location.hash));
  const setup = useQuery(setupQuery);
  const setUp = useSetUp();
  const navigate = useNavigate();
  const [form, setForm] = useState({ name: '', email: '', password: '' });
  const [tooShort, setTooShort] = useState(false);
  const s = strings.session;

  // The token does not stay in the address bar or the history.
  useEffect(() => {
    if (window.location.hash) window.history.replaceState(window.history.state, '', window.location.pathname);
  }, []);

  const change = (field: keyof typeof form) => (event: { target: { value: string } }) =>
    setForm({ ...form, [field]: event.target.value });

  if (setup.data && !setup.data.needed && !setUp.isPending && !setUp.isSuccess) {
    return (
      <Welcome title={s.setupTitle} headline={s.hello} intro={s.alreadySetUp}>
        <Link to="/sign-in" className={`${buttonLook('primary')} w-full`}>
          {s.toSignIn}
        </Link>
      </Welcome>
    );
  }
  return (
    <Welcome title={s.setupTitle} headline={s.hello} intro={s.setupIntro}>
      {!token ? (
        <p role="alert" className="rounded-lg bg-warn-soft p-3 text-sm text-warn">
          {s.noToken}
        </p>
      ) : (
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            const short = Array.from(form.password).length < SHORTEST_PASSWORD;
            setTooShort(short);
            if (!short) setUp.mutate({ token, ...form }, { onSuccess: () => void navigate('/inbox', { replace: true }) });
          }}
        >
          <TextField label={s.yourName} autoComplete="name" required value={form.name} onChange={change('name')} />
          <TextField label={s.email} type="email" autoComplete="username" required value={form.email} onChange={change('email')} />
          <TextField
            label={s.password}
            type="password"
            autoComplete="new-password"
            required
            hint={s.passwordHint}
            value={form.password}
            onChange={change('password')}
          />
          <Problem error={tooShort ? new Error(s.tooShort) : setUp.error} />
          <Button look="primary" type="submit" disabled={setUp.isPending} className="h-9">
            {setUp.isPending ? s.creating : s.create}
          </Button>
        </form>
      )}
    </Welcome>
  );
}
