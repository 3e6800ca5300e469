import { strings } from '../../strings';
import { IconButton } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { X } from 'lucide-react';

const h = strings.help;
const GROUPS: [string, [string[], string][]][] = [
  [
    h.everywhere,
    [
      [['Ctrl', 'K'], h.palette],
      [['?'], h.help],
      [['j'], h.move],
      [['k'], h.move],
      [['Enter'], h.open],
      [['Esc'], h.closePanel],
    ],
  ],
  [
    h.inTicket,
    [
      [['1', '…', '9'], h.citation],
      [['.'], h.panel],
      [['r'], h.reply],
      [['n'], h.note],
      [['e'], h.escalate],
      [['x'], h.resolve],
    ],
  ],
  [
    h.inApprovals,
    [
      [['y'], h.approve],
      [['n'], h.reject],
    ],
  ],
];

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog label={h.title} onClose={onClose} className="w-[min(30rem,calc(100vw-2rem))]">
      <header className="flex items-center justify-between border-b border-line px-5 py-3">
        <h2 className="text-lg font-semibold">{h.title}</h2>
        <IconButton label={strings.close} onClick={onClose}>
          <X aria-hidden className="size-4.5" />
        </IconButton>
      </header>
      <div className="flex max-h-[70dvh] flex-col gap-5 overflow-y-auto p-5">
        {GROUPS.map(([group, rows]) => (
          <section key={group} className="flex flex-col gap-2">
            <h3 className="text-sm font-semibold text-soft">{group}</h3>
            <dl className="flex flex-col gap-1.5">
              {rows.map(([keys, what]) => (
                <div key={keys.join()} className="flex items-center justify-between gap-4">
                  <dt>{what}</dt>
                  <dd className="flex gap-1">
                    {keys.map((key) => (
                      <kbd key={key} className="grid h-6 min-w-6 place-items-center rounded-md border border-line bg-sunken px-1.5 font-sans text-xs">
                        {key}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
