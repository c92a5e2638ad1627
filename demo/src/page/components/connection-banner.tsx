import type { ReactNode } from 'react';
import type { Connection } from '../models/connection.ts';
import type { Readable } from '../models/store.ts';
import { useStore } from '../models/use-store.ts';

interface ConnectionBannerProps {
  readonly connection: Readable<Connection>;
  readonly onSignOut: () => void;
}

/** Says so when the page is not connected. */
export function ConnectionBanner({ connection, onSignOut }: ConnectionBannerProps): ReactNode {
  const { state } = useStore(connection);
  // The element is always there: a live region that appears with its text is not read out.
  return (
    <div className={`connection ${state}`} role="status">
      {state === 'reconnecting' && 'Reconnecting…'}
      {state === 'refused' && (
        <>
          Twilio refused the connection.
          <button type="button" className="link" onClick={onSignOut}>
            Sign in again
          </button>
        </>
      )}
    </div>
  );
}
