import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Role } from '../../api/types';
import { strings } from '../../strings';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { SelectField, TextField } from '../../ui/field';
import { Card } from '../../ui/screen';
import { Failure, Problem, Skeleton } from '../../ui/states';
import { Moment } from '../../ui/time';
import { useAddUser, usersQuery } from './queries';

const s = strings.settings;
const ROLES: Role[] = ['viewer', 'agent', 'admin'];
const NOBODY = { name: '', email: '', password: '', role: 'agent' as Role };

export function People() {
  const users = useQuery(usersQuery);
  const [adding, setAdding] = useState(false);
  return (
    <section aria-labelledby="people" className="flex flex-col gap-3">
      <div className="flex items-center justify-between gap-4">
        <h2 id="people" className="text-lg font-semibold">
          {s.people}
        </h2>
        {!adding && <Button onClick={() => setAdding(true)}>{s.addPerson}</Button>}
      </div>
      {adding && <AddPerson onDone={() => setAdding(false)} />}
      {users.isPending ? (
        <Skeleton lines={2} />
      ) : users.error ? (
        <Failure what={s.peopleFailed} error={users.error} retry={() => void users.refetch()} />
      ) : (
        <Card>
          <ul className="divide-y divide-line">
            {users.data.items.map((user) => (
              <li key={user.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-5 py-3">
                <span className="min-w-0 flex-1">
                  <span className="block truncate font-medium">{user.name}</span>
                  <span className="block truncate text-sm text-soft">{user.email}</span>
                </span>
                <Badge tone={user.role === 'admin' ? 'accent' : 'neutral'} title={strings.roleMeans[user.role]}>
                  {strings.role[user.role]}
                </Badge>
                <span className="text-xs text-faint">
                  {s.joined} <Moment at={user.created_at} />
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </section>
  );
}

function AddPerson({ onDone }: { onDone: () => void }) {
  const [form, setForm] = useState(NOBODY);
  const add = useAddUser();
  const change = (field: 'name' | 'email' | 'password') => (event: { target: { value: string } }) =>
    setForm({ ...form, [field]: event.target.value });
  return (
    <Card className="p-5">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate(form, { onSuccess: onDone });
        }}
      >
        <div className="grid gap-4 desk:grid-cols-2">
          <TextField label={s.name} required autoComplete="off" value={form.name} onChange={change('name')} />
          <TextField label={s.email} type="email" required autoComplete="off" value={form.email} onChange={change('email')} />
          <SelectField
            label={s.role}
            value={form.role}
            onChange={(event) => setForm({ ...form, role: ROLES.find((role) => role === event.target.value) ?? form.role })}
          >
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {strings.role[role]}: {strings.roleMeans[role]}
              </option>
            ))}
          </SelectField>
          <TextField
            label={s.password}
            type="password"
            required
            minLength={12}
            autoComplete="new-password"
            hint={strings.session.passwordHint}
            value={form.password}
            onChange={change('password')}
          />
        </div>
        <Problem error={add.error} />
        <div className="flex gap-2">
          <Button look="primary" type="submit" disabled={add.isPending}>
            {add.isPending ? s.adding : s.addPerson}
          </Button>
          <Button look="quiet" onClick={onDone}>
            {strings.cancel}
          </Button>
        </div>
      </form>
    </Card>
  );
}
