import type { Tone } from './badge';

const FILLS: Record<Tone, string> = {
  neutral: 'fill-line-strong',
  accent: 'fill-accent',
  ok: 'fill-ok',
  warn: 'fill-warn',
  bad: 'fill-bad',
  info: 'fill-info',
};

/** A share of 1 as a bar. Drawn by attributes: the content security policy allows no inline style. */
export function Meter({ value, label, tone = 'accent', className = 'w-full' }: { value: number; label: string; tone?: Tone; className?: string }) {
  const share = Math.min(1, Math.max(0, value));
  return (
    <svg
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      className={`block h-1.5 overflow-hidden rounded-full ${className}`}
      preserveAspectRatio="none"
      viewBox="0 0 100 6"
    >
      <rect width="100" height="6" className="fill-sunken" />
      <rect width={share * 100} height="6" className={FILLS[tone]} />
    </svg>
  );
}
