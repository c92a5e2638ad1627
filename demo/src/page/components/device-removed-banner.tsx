import type { ReactNode } from 'react';
import type { DeviceRemoval } from '../models/device-removal.ts';
import type { Readable } from '../models/store.ts';
import { useStore } from '../models/use-store.ts';

interface DeviceRemovedBannerProps {
  readonly removal: Readable<DeviceRemoval>;
  readonly onSignOut: () => void;
}

/** Says so when this device's key is gone, and what can be done. */
export function DeviceRemovedBanner({ removal, onSignOut }: DeviceRemovedBannerProps): ReactNode {
  const { reason } = useStore(removal);
  if (reason === null) return null;
  return (
    <div className="connection refused" role="alert">
      {reason === 'removed' ? (
        <p>
          <strong>Your key was removed from this browser</strong>, in another tab perhaps. Nothing
          is sent or received here any more. A new key cannot read earlier messages.
        </p>
      ) : (
        <p>
          <strong>Your key or its password was changed in another tab.</strong> Nothing is sent or
          received in this one until you sign in again.
        </p>
      )}
      <button type="button" className="link" onClick={onSignOut}>
        Sign in again
      </button>
    </div>
  );
}
