/** Data as people can read it: names and values in two columns, lists line by line, the rest as indented JSON. */
import { strings } from '../strings';

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

/** Whether two columns can show it: plain values and lists of such. */
function isTable(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const fields = Object.values(value);
  return fields.length > 0 && fields.every((field) => isPlain(field) || (Array.isArray(field) && field.every(isPlain)));
}

export function Data({ value, label }: { value: unknown; label: string }) {
  if (isPlain(value)) {
    return (
      <p className="font-mono text-xs">
        <Plain value={value} />
      </p>
    );
  }
  // A list of one is shown as its one thing: most look-ups find one record.
  if (Array.isArray(value) && value.length === 1 && isTable(value[0])) return <Data value={value[0]} label={label} />;
  if (isTable(value)) {
    return (
      <dl className="grid grid-cols-[minmax(5rem,auto)_minmax(0,1fr)] gap-x-4 gap-y-1 text-xs">
        {Object.entries(value).map(([name, field]) => (
          <div key={name} className="contents">
            <dt className="font-mono [overflow-wrap:anywhere] text-faint">{name}</dt>
            <dd className="min-w-0 font-mono">{Array.isArray(field) ? <Lines values={field} /> : <Plain value={field} />}</dd>
          </div>
        ))}
      </dl>
    );
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre tabIndex={0} role="group" aria-label={label} className="max-h-80 overflow-auto font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

/** What is not text looks different, so that the number 1 and the text "1" can be told apart. */
function Plain({ value }: { value: unknown }) {
  if (typeof value === 'string') {
    return <span className="[overflow-wrap:anywhere] whitespace-pre-wrap">{value === '' ? <span className="text-faint">{strings.emptyText}</span> : value}</span>;
  }
  return <span className="text-info">{JSON.stringify(value)}</span>;
}

function Lines({ values }: { values: unknown[] }) {
  if (values.length === 0) return <span className="text-faint">{strings.none}</span>;
  return (
    <ul className="flex list-disc flex-col gap-0.5 pl-3 marker:text-faint">
      {values.map((value, i) => (
        <li key={i}>
          <Plain value={value} />
        </li>
      ))}
    </ul>
  );
}
