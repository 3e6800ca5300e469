import { strings } from '../strings';
import { Key } from './button';

const KEYS: [string[], string][] = [
  [['j', 'k'], strings.help.move],
  [['Enter'], strings.help.open],
  [['?'], strings.help.all],
];

/** The keys that work on a list, for those who look at a screen on which nothing is open. */
export function RowKeys() {
  return (
    <p aria-hidden className="mt-4 hidden flex-wrap justify-center gap-x-5 gap-y-2 text-xs text-faint desk:flex">
      {KEYS.map(([keys, what]) => (
        <span key={what} className="inline-flex items-center gap-1.5">
          {keys.map((key) => (
            <Key key={key}>{key}</Key>
          ))}
          {what}
        </span>
      ))}
    </p>
  );
}
