/** A panel that slides over from the side, for looking something up without leaving the screen. */
import { X } from 'lucide-react';
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { strings } from '../strings';
import { IconButton } from './button';
import { useKeys } from './keys';

export function Drawer({
  title,
  subtitle,
  onClose,
  children,
}: {
  title: ReactNode;
  subtitle?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useKeys({ Escape: onClose });
  return (
    <aside
      aria-labelledby={id}
      className="fixed inset-0 z-20 flex flex-col border-line bg-surface shadow-float desk:left-auto desk:w-[34rem] desk:border-l"
    >
      <header className="flex items-start gap-3 border-b border-line px-5 py-3.5">
        <div className="min-w-0 flex-1">
          <h2 id={id} ref={heading} tabIndex={-1} className="text-lg font-semibold break-words outline-none">
            {title}
          </h2>
          {subtitle && <div className="text-sm break-words text-soft">{subtitle}</div>}
        </div>
        <IconButton label={strings.close} onClick={onClose}>
          <X aria-hidden className="size-4.5" />
        </IconButton>
      </header>
      {/* A region that scrolls can be reached and scrolled by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-labelledby={id}>
        {children}
      </div>
    </aside>
  );
}
