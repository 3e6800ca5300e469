/** A modal dialog on the browser's own element, which keeps the focus inside and gives it back. */
import { useEffect, useRef, type ReactNode } from 'react';

export function Dialog({
  label,
  onClose,
  className = '',
  children,
}: {
  label: string;
  onClose: () => void;
  className?: string;
  children: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    // The click that closes is a convenience beside Escape, which the element handles by itself.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={element}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
      className={`m-auto max-h-[85dvh] overflow-hidden rounded-2xl border border-line bg-surface p-0 text-ink shadow-float ${className}`}
    >
      {children}
    </dialog>
  );
}
