import type { ReactNode } from 'react';
import type { KeyChanges } from '../models/key-changes.ts';
import { useAction } from './use-action.ts';

interface AcknowledgeButtonProps {
  readonly keyChanges: KeyChanges;
  readonly identity: string;
}

/** Trusts somebody's new keys. */
export function AcknowledgeButton({ keyChanges, identity }: AcknowledgeButtonProps): ReactNode {
  const { busy, error, run } = useAction();
  return (
    <>
      <button
        type="button"
        className="secondary"
        disabled={busy}
        onClick={() => {
          run(() => keyChanges.acknowledge(identity));
        }}
      >
        Acknowledge change of {identity}
      </button>
      {error !== null && <p role="alert">{error}</p>}
    </>
  );
}
