/** What Gaby does about recurring tickets, and which of her tools each playbook needs. */
import { useQuery } from '@tanstack/react-query';
import { Check, CircleDashed } from 'lucide-react';
import type { Playbook } from '../../api/types';
import { strings } from '../../strings';
import { Badge } from '../../ui/badge';
import { Card, Label, Screen } from '../../ui/screen';
import { Empty, Failure, Skeleton } from '../../ui/states';
import { playbooksQuery } from './queries';

const s = strings.playbooks;
const SHOWN_TRIGGERS = 6;

export function PlaybooksScreen() {
  const playbooks = useQuery(playbooksQuery);
  return (
    <Screen title={s.title} intro={s.intro}>
      {playbooks.isPending ? (
        <Skeleton />
      ) : playbooks.error ? (
        <Failure what={s.failed} error={playbooks.error} retry={() => void playbooks.refetch()} />
      ) : playbooks.data.items.length === 0 ? (
        <Empty title={s.empty} hint={s.emptyHint} />
      ) : (
        <ul className="grid gap-4 desk:grid-cols-2">
          {playbooks.data.items.map((playbook) => (
            <li key={playbook.name}>
              <PlaybookCard playbook={playbook} />
            </li>
          ))}
        </ul>
      )}
    </Screen>
  );
}

function PlaybookCard({ playbook }: { playbook: Playbook }) {
  const ready = playbook.tools.every((tool) => tool.mapped_to ?? tool.optional);
  const hidden = playbook.triggers.length - SHOWN_TRIGGERS;
  return (
    <Card className="flex h-full flex-col gap-3 p-5">
      <header>
        <div className="flex flex-wrap items-center gap-2">
          <h2 className="text-lg font-semibold">{playbook.title}</h2>
          <Badge tone={ready ? 'ok' : 'warn'}>{ready ? s.ready : s.partly}</Badge>
          <span className="text-xs text-faint">{playbook.category}</span>
        </div>
        <p className="mt-1 text-sm text-soft">{playbook.description}</p>
      </header>
      {playbook.triggers.length > 0 && (
        <section className="flex flex-col gap-1.5">
          <Label>{s.triggers}</Label>
          <ul className="flex flex-wrap gap-1">
            {playbook.triggers.slice(0, SHOWN_TRIGGERS).map((trigger) => (
              <li key={trigger} className="rounded-md bg-sunken px-1.5 py-0.5 text-xs text-soft">
                {trigger}
              </li>
            ))}
            {hidden > 0 && <li className="px-1 py-0.5 text-xs text-faint">{s.moreTriggers(hidden)}</li>}
          </ul>
        </section>
      )}
      <section className="mt-auto flex flex-col gap-1.5">
        <Label>{s.tools}</Label>
        {playbook.tools.length === 0 && <p className="text-xs text-soft">{s.noTools}</p>}
        <ul className="flex flex-col gap-1 text-xs">
          {playbook.tools.map((tool) => (
            <li key={tool.role} className="flex items-center gap-2">
              {tool.mapped_to ? (
                <Check aria-hidden className="size-3.5 shrink-0 text-ok" />
              ) : (
                <CircleDashed aria-hidden className={`size-3.5 shrink-0 ${tool.optional ? 'text-faint' : 'text-warn'}`} />
              )}
              <span className="font-mono">{tool.role}</span>
              <span className="min-w-0 truncate text-faint">{tool.mapped_to ?? (tool.optional ? s.optional : s.missing)}</span>
            </li>
          ))}
        </ul>
      </section>
    </Card>
  );
}
