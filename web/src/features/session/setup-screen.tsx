import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { strings } from '../../strings';
import { Button, buttonLook } from '../../ui/button';
import { TextField } from '../../ui/field';
import { Failure, Problem, Skeleton } from '../../ui/states';
import { setupQuery, useSetUp } from './queries';
import { Welcome } from './welcome';

const SHORTEST_PASSWORD = 12;
const s = strings.session;

/** The one-time token, which stands behind the `#` so that no server log ever sees it. */
export function tokenFrom(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') ?? '';
}

/** The first start: makes the first administrator, or opens the demo. */
export function SetupScreen() {
  const [token] = useState(() => tokenFrom(window.location.hash));
  const [used, setUsed] = useState(false);
  const setup = useQuery({ ...setupQuery, staleTime: Infinity });
  const navigate = useNavigate();

  // The token does not stay in the address bar or the history.
  useEffect(() => {
    if (window.location.hash) window.history.replaceState(window.history.state, '', window.location.pathname);
  }, []);

  const onDone = () => {
    setUsed(true);
    void navigate('/inbox', { replace: true });
  };
  if (setup.error) return <Failure what={s.setupTitle} error={setup.error} retry={() => void setup.refetch()} />;
  if (!setup.data) return <Skeleton lines={2} className="mx-auto max-w-sm" />;
  const { demo, needed } = setup.data;
  if (!needed && !used) {
    return (
      <Welcome title={s.setupTitle} headline={s.hello} intro={demo ? s.demoUsed : s.alreadySetUp}>
        <Link to="/sign-in" className={`${buttonLook('primary')} w-full`}>
          {demo ? s.toInbox : s.toSignIn}
        </Link>
      </Welcome>
    );
  }
  return (
    <Welcome title={s.setupTitle} headline={s.hello} intro={demo ? s.demoIntro : s.setupIntro}>
      {!token ? (
        <p role="alert" className="rounded-lg bg-warn-soft p-3 text-sm text-warn">
          {s.noToken}
        </p>
      ) : demo ? (
        <OpenDemo token={token} onDone={onDone} />
      ) : (
        <FirstAdmin token={token} onDone={onDone} />
      )}
    </Welcome>
  );
}

type Props = { token: string; onDone: () => void };

/** In a demo the link alone signs in. */
function OpenDemo({ token, onDone }: Props) {
  const setUp = useSetUp();
  const sent = useRef(false);
  useEffect(() => {
    // The link works once, so it is sent once, however often React mounts this.
    if (sent.current) return;
    sent.current = true;
    setUp.mutateAsync({ token }).then(onDone, () => undefined);
  }, [token, onDone, setUp]);
  if (setUp.error) return <Problem error={setUp.error} />;
  return (
    <p role="status" className="breathe text-center text-soft">
      {s.openingDemo}
    </p>
  );
}

function FirstAdmin({ token, onDone }: Props) {
  const setUp = useSetUp();
  const [form, setForm] = useState({ name: '', email: '', password: '' });
  const [tooShort, setTooShort] = useState(false);
  const change = (field: keyof typeof form) => (event: { target: { value: string } }) =>
    setForm({ ...form, [field]: event.target.value });
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const short = Array.from(form.password).length < SHORTEST_PASSWORD;
        setTooShort(short);
        if (!short) setUp.mutate({ token, ...form }, { onSuccess: onDone });
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
  );
}
