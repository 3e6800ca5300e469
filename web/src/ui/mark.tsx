/** Gaby's face. Decorative wherever her name stands beside it. */
export function Mark({ className = 'size-8', label }: { className?: string; label?: string }) {
  return (
    <svg
      viewBox="0 0 32 32"
      className={`shrink-0 ${className}`}
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      <circle cx="16" cy="16" r="15" className="fill-accent" />
      <g className="fill-on-accent">
        <circle cx="11" cy="14" r="2.1" />
        <circle cx="21" cy="14" r="2.1" />
      </g>
      <path
        d="M9.8 19.2c1.5 2.8 3.7 4.1 6.2 4.1s4.7-1.3 6.2-4.1"
        fill="none"
        className="stroke-on-accent"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
    </svg>
  );
}
