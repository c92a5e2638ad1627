import type { ReactNode } from 'react';
import type { OwnDevice } from 'twilio-chat-encryption';
import { isUnknown, type OwnDevices } from '../models/own-devices.ts';
import { useStore } from '../models/use-store.ts';
import { UNNAMED } from '../texts/devices.ts';
import { ConfirmButton } from './confirm-button.tsx';
import { momentOf } from './dates.ts';
import { Notice } from './notice.tsx';

interface UnknownDeviceBannersProps {
  readonly devices: OwnDevices;
  readonly onDevices: () => void;
}

/** Asks about each device in one's name that this one does not know. */
export function UnknownDeviceBanners({ devices, onDevices }: UnknownDeviceBannersProps): ReactNode {
  const list = useStore(devices).devices ?? [];
  const own = list.find(({ isThis }) => isThis);
  return list.filter(isUnknown).map((device) => (
    <Notice key={device.cardId} kind="warning">
      <UnknownDevice
        device={device}
        isNewer={!own || device.since > own.since}
        hasVouched={own?.vouchers.includes(device.cardId) ?? false}
      />
      <ConfirmButton devices={devices} device={device} className="secondary" />
      <button type="button" className="secondary" onClick={onDevices}>
        No
      </button>
    </Notice>
  ));
}

interface UnknownDeviceProps {
  readonly device: OwnDevice;
  /** Than this one. */
  readonly isNewer: boolean;
  /** For this one: somebody said there that it is theirs. */
  readonly hasVouched: boolean;
}

function UnknownDevice({ device, isNewer, hasVouched }: UnknownDeviceProps): ReactNode {
  const name = <bdi>{device.device ?? UNNAMED}</bdi>;
  if (isNewer) {
    return (
      <p>
        <strong>A new device signed in as you:</strong> {name}, {momentOf(device.since)}. Is it
        yours? If not, remove it and change your password: whoever signed in knows it.
      </p>
    );
  }
  return (
    <p>
      <strong>You have another device:</strong> {name}, since {momentOf(device.since)}. Is it yours?
      {!hasVouched &&
        ' If so, say yes there, too: until then, others are asked whether this one is you.'}
    </p>
  );
}
