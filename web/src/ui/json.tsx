/** Data as people can read it: an object of plain values is a table, everything else is indented JSON. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function Data({ value, label }: { value: unknown; label: string }) {
  if (isPlain(value)) {
    return <p className="font-mono text-xs break-words whitespace-pre-wrap">{plain(value)}</p>;
  }
  if (isRecord(value) && Object.keys(value).length > 0 && Object.values(value).every(isPlain)) {
    return (
      <dl className="grid grid-cols-[minmax(5rem,auto)_minmax(0,1fr)] gap-x-4 gap-y-1 text-xs">
        {Object.entries(value).map(([name, field]) => (
          <div key={name} className="contents">
            <dt className="font-mono text-faint">{name}</dt>
            <dd className="font-mono break-words whitespace-pre-wrap">{plain(field)}</dd>
          </div>
        ))}
      </dl>
    );
  }
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre tabIndex={0} role="region" aria-label={label} className="max-h-80 overflow-auto font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}
