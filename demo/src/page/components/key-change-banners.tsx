import type { ReactNode } from 'react';
import type { KeyChanges } from '../models/key-changes.ts';
import { useStore } from '../models/use-store.ts';
import { AcknowledgeButton } from './acknowledge-button.tsx';
import { Notice } from './notice.tsx';

interface KeyChangeBannersProps {
  readonly keyChanges: KeyChanges;
  readonly onCompare: (identity: string) => void;
}

/** A banner for everybody whose keys changed. */
export function KeyChangeBanners(props: KeyChangeBannersProps): ReactNode {
  const { keyChanges, onCompare } = props;
  const { identities } = useStore(keyChanges);
  return identities.map((identity) => (
    <Notice key={identity} kind="warning">
      <p>
        <strong>The key of {identity} changed.</strong> A new device, or an impostor: ask {identity}{' '}
        in person or on the phone. New keys get no messages until you acknowledge.
      </p>
      <button
        type="button"
        className="secondary"
        onClick={() => {
          onCompare(identity);
        }}
      >
        Compare safety numbers
      </button>
      <AcknowledgeButton keyChanges={keyChanges} identity={identity} />
    </Notice>
  ));
}
