import type { ButtonHTMLAttributes, ReactNode } from 'react';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const LOOKS: Record<Look, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong',
  plain: 'border border-line bg-surface text-ink hover:bg-hover',
  quiet: 'text-soft hover:bg-hover hover:text-ink',
  danger: 'border border-line bg-surface text-bad hover:bg-bad-soft',
};

export function buttonLook(look: Look = 'plain', size: 'small' | 'normal' = 'normal'): string {
  const space = size === 'small' ? 'h-7 px-2.5 text-sm' : 'h-8 px-3 text-sm';
  return `inline-flex shrink-0 items-center justify-center gap-1.5 rounded-lg font-medium whitespace-nowrap transition-colors disabled:opacity-55 ${space} ${LOOKS[look]}`;
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: Look;
  size?: 'small' | 'normal';
  /** The key that does the same, shown to those who have a keyboard. */
  hint?: string;
};

export function Button({ look, size, hint, className = '', children, type = 'button', ...rest }: ButtonProps) {
  return (
    <button type={type} className={`${buttonLook(look, size)} ${className}`} {...rest}>
      {children}
      {hint && <Key on={look === 'primary' ? 'accent' : 'surface'}>{hint}</Key>}
    </button>
  );
}

/** A button that is only a picture; its name is spoken and shown on hover. */
export function IconButton({ label, children, className = '', ...rest }: ButtonProps & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`grid size-8 shrink-0 place-items-center rounded-lg text-soft transition-colors hover:bg-hover hover:text-ink ${className}`}
      {...rest}
    >
      {children}
    </button>
  );
}

export function Key({ children, on = 'surface' }: { children: ReactNode; on?: 'surface' | 'accent' }) {
  const look = on === 'accent' ? 'border-current' : 'border-line bg-sunken text-soft';
  return (
    <kbd
      aria-hidden
      className={`hidden h-4.5 min-w-4.5 items-center justify-center rounded border px-1 font-sans text-xs leading-none desk:inline-flex ${look}`}
    >
      {children}
    </kbd>
  );
}
