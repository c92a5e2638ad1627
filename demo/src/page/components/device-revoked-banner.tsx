import { useEffect, type ReactNode } from 'react';
import type { OwnDevices } from '../models/own-devices.ts';
import { useStore } from '../models/use-store.ts';
import { momentOf } from './dates.ts';
import { Notice } from './notice.tsx';

interface DeviceRevokedBannerProps {
  readonly devices: OwnDevices;
  readonly onDevices: () => void;
}

/** Says so when this device was removed from another one, or somebody else replaced it. */
export function DeviceRevokedBanner({ devices, onDevices }: DeviceRevokedBannerProps): ReactNode {
  const own = useStore(devices).devices?.find(({ isThis }) => isThis);

  useEffect(() => {
    // Somebody who just did something on another device comes back to this tab.
    const look = (): void => {
      if (document.visibilityState === 'visible') void devices.refresh();
    };
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
    };
  }, [devices]);

  if (!own || own.status === 'live') return null;
  const when = own.endedAt ? ` on ${momentOf(own.endedAt)}` : '';
  return (
    <Notice kind="error">
      <p>
        {own.status === 'revoked' ? (
          <strong>This device was removed{when}.</strong>
        ) : (
          <strong>
            Somebody else has the keys of this device, and put others in their place{when}: remove
            that device from another one of yours, and change your password.
          </strong>
        )}{' '}
        It shows what was sent before. Nothing new reaches it, and nothing can be sent from it. To
        use it again, delete everything on it and sign in.
      </p>
      <button type="button" className="secondary" onClick={onDevices}>
        Go to your devices
      </button>
    </Notice>
  );
}
