import type { ReactNode } from 'react';
import type { KeyChanges } from '../models/key-changes.ts';
import { useStore } from '../models/use-store.ts';
import { AcknowledgeButton } from './acknowledge-button.tsx';
import { Notice } from './notice.tsx';

interface KeyChangeBannersProps {
  readonly keyChanges: KeyChanges;
  readonly onCompare: (identity: string) => void;
}

/** A banner for everybody whose keys changed, or whose devices did not vouch for one another. */
export function KeyChangeBanners(props: KeyChangeBannersProps): ReactNode {
  const { keyChanges, onCompare } = props;
  const { identities, unconnected } = useStore(keyChanges);
  const compareButton = (identity: string): ReactNode => (
    <button
      type="button"
      className="secondary"
      onClick={() => {
        onCompare(identity);
      }}
    >
      Compare safety numbers
    </button>
  );
  return (
    <>
      {identities.map((identity) => (
        <Notice key={identity} kind="warning">
          <p>
            <strong>The key of {identity} changed.</strong> A new device, or an impostor: ask{' '}
            {identity} in person or on the phone. New keys get no messages until you acknowledge.
          </p>
          {compareButton(identity)}
          <AcknowledgeButton keyChanges={keyChanges} identity={identity} />
        </Notice>
      ))}
      {unconnected.map((identity) => (
        <Notice key={`unconnected ${identity}`} kind="warning">
          <p>
            <strong>{identity} has several devices that did not confirm one another.</strong> All of
            them get your messages. Compare safety numbers to be sure that they are all {identity}
            ’s.
          </p>
          {compareButton(identity)}
          <button
            type="button"
            className="secondary"
            onClick={() => {
              keyChanges.dismiss(identity);
            }}
          >
            Not now
          </button>
        </Notice>
      ))}
    </>
  );
}
