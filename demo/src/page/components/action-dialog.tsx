import type { ReactNode } from 'react';
import { explain } from '../texts/failures.ts';
import { Dialog } from './dialog.tsx';
import { Notice } from './notice.tsx';
import { Spinner } from './spinner.tsx';
import { useAction } from './use-action.ts';

interface ActionDialogProps {
  readonly title: string;
  /** What the button says. */
  readonly action: string;
  readonly isDangerous?: boolean;
  /** What is said while it takes its time. */
  readonly progress: string;
  /** Does it. */
  readonly perform: () => Promise<void>;
  /** Says what went wrong. */
  readonly words?: (error: unknown) => string;
  readonly onClose: () => void;
  /** What is to be known and filled in before. */
  readonly children: ReactNode;
}

/** Asks before something is done, and stays until it is. */
export function ActionDialog(props: ActionDialogProps): ReactNode {
  const { title, action, isDangerous = false, progress, perform, words = explain } = props;
  const { onClose, children } = props;
  const { busy, error, run } = useAction(words);

  function cancel(): void {
    // What is under way cannot be stopped.
    if (!busy) onClose();
  }

  return (
    <Dialog title={title} onCancel={cancel}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          run(perform);
        }}
      >
        {children}
        {busy && <Spinner label={progress} />}
        {error !== null && <Notice kind="error">{error}</Notice>}
        <div className="dialog-buttons">
          <button type="button" className="secondary" disabled={busy} onClick={cancel}>
            Cancel
          </button>
          <button
            type="submit"
            className={`primary ${isDangerous ? 'dangerous' : ''}`}
            disabled={busy}
          >
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
