import type { ReactNode } from 'react';
import { StepHeading } from './step-heading.tsx';

interface RestoreOfferProps {
  readonly busy: boolean;
  readonly onRestore: () => void;
  readonly onSkip: () => void;
}

/** On a new device of somebody who has a backup: with their keys, or without. */
export function RestoreOffer({ busy, onRestore, onSkip }: RestoreOfferProps): ReactNode {
  return (
    <div className="stack">
      <StepHeading>Restore your keys?</StepHeading>
      <p>
        You have no keys in this browser yet, and the server has a backup of them. With it, you can
        read here what you could read on your other devices.
      </p>
      <button type="button" className="primary" disabled={busy} onClick={onRestore}>
        Restore your keys
      </button>
      <button type="button" className="secondary" disabled={busy} onClick={onSkip}>
        Start without
      </button>
      <p className="hint">
        Without, nothing from before now can be read here. To restore it later, you would have to
        delete everything on this device and sign in again.
      </p>
    </div>
  );
}
