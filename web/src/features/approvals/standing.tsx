/** What is allowed in advance now, and ending it. */
import { useQuery } from '@tanstack/react-query';
import type { Pattern } from '../../api/types';
import { strings } from '../../strings';
import { Button } from '../../ui/button';
import { Data } from '../../ui/json';
import { Label } from '../../ui/screen';
import { Problem } from '../../ui/states';
import { Moment } from '../../ui/time';
import { useCanDecide } from '../session/queries';
import { patternsQuery, useEndPattern } from './queries';

const s = strings.approvals;

export function Standing() {
  const patterns = useQuery(patternsQuery);
  if (!patterns.data || patterns.data.items.length === 0) return null;
  return (
    <section className="flex flex-col gap-2 border-b border-line px-4 py-3">
      <Label>{s.standing}</Label>
      <ul className="flex flex-col gap-3">
        {patterns.data.items.map((pattern) => (
          <li key={pattern.id}>
            <One pattern={pattern} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function One({ pattern }: { pattern: Pattern }) {
  const canDecide = useCanDecide();
  const end = useEndPattern();
  return (
    <div className="flex flex-col gap-1.5 text-sm">
      <div className="flex items-baseline gap-2">
        <span className="min-w-0 flex-1 truncate font-mono text-xs">{pattern.tool.tool}</span>
        {canDecide && (
          <Button size="small" disabled={end.isPending} onClick={() => end.mutate(pattern.id)}>
            {end.isPending ? s.ending : s.end}
          </Button>
        )}
      </div>
      <p className="text-xs text-faint">
        {s.standingLeft(pattern.remaining)}, {s.until} <Moment at={pattern.ends_at} />
      </p>
      <Data value={pattern.arguments} label={s.standing} />
      <Problem error={end.error} />
    </div>
  );
}
