/** A sentence in which commands and names of tools stand between backticks; `typed` ones stay in one line. */
export function Sentence({ text, typed = false }: { text: string; typed?: boolean }) {
  return text.split('`').map((part, i) =>
    i % 2 === 1 ? (
      <code key={i} className={`rounded bg-sunken px-1 font-mono text-xs ${typed ? 'py-0.5 whitespace-nowrap text-ink' : ''}`}>
        {part}
      </code>
    ) : (
      part
    ),
  );
}
