import type { ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import { isRevoked } from '../models/own-devices.ts';
import { useStore } from '../models/use-store.ts';
import { BackupBanners } from './backup-banners.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { DeviceRemovedBanner } from './device-removed-banner.tsx';
import { DeviceRevokedBanner } from './device-revoked-banner.tsx';
import { SplitViewBanner } from './split-view-banner.tsx';
import { UnknownDeviceBanners } from './unknown-device-banners.tsx';

interface ChatBannersProps {
  readonly chat: Chat;
  /** Whether the panel of one's devices is open, which asks and says the same. */
  readonly isDevicesOpen: boolean;
  readonly onDevices: () => void;
  readonly onSignOut: () => void;
}

/** What concerns the whole chat, above it. */
export function ChatBanners(props: ChatBannersProps): ReactNode {
  const { chat, isDevicesOpen, onDevices, onSignOut } = props;
  const devices = useStore(chat.devices);
  // Nothing else can be done then.
  const isOver = useStore(chat.removal).reason !== null;
  return (
    <div className="banners">
      <ConnectionBanner connection={chat.connection} onSignOut={onSignOut} />
      <DeviceRemovedBanner removal={chat.removal} onSignOut={onSignOut} />
      <SplitViewBanner splitView={chat.splitView} />
      {!isOver && (
        <>
          <DeviceRevokedBanner devices={chat.devices} onDevices={onDevices} />
          <div hidden={isDevicesOpen || isRevoked(devices)}>
            <UnknownDeviceBanners devices={chat.devices} onDevices={onDevices} />
            <BackupBanners chat={chat} onDevices={onDevices} />
          </div>
        </>
      )}
    </div>
  );
}
