import { useId, useLayoutEffect, useRef, type ReactNode } from 'react';

interface DialogProps {
  readonly title: string;
  /** Escape was pressed. */
  readonly onCancel: () => void;
  readonly children: ReactNode;
}

/** A question in front of everything else, as long as it is there. */
export function Dialog({ title, onCancel, children }: DialogProps): ReactNode {
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);

  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => {
      // Gives the focus back.
      dialog?.close();
    };
  }, []);

  return (
    <dialog
      ref={element}
      className="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onCancel();
      }}
      onKeyDown={(event) => {
        // The panel that it was opened from stays.
        event.stopPropagation();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
