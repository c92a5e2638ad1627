import type { ReactNode } from 'react';
import type { OwnDevice } from 'twilio-chat-encryption';
import { isUnknown, type OwnDevices } from '../models/own-devices.ts';
import { UNNAMED } from '../texts/devices.ts';
import { ConfirmButton } from './confirm-button.tsx';
import { DeviceItem } from './device-item.tsx';

interface DeviceListProps {
  readonly devices: OwnDevices;
  readonly list: readonly OwnDevice[];
  /** Whether this device may say anything about the others. */
  readonly mayChange: boolean;
  readonly onRemove: (device: OwnDevice) => void;
}

/** One's devices: those in use, and below them those that were. */
export function DeviceList(props: DeviceListProps): ReactNode {
  const { devices, list, mayChange, onRemove } = props;
  // This one first, then the newest.
  const used = list
    .filter(({ status, isThis }) => status === 'live' || isThis)
    .sort((a, b) => Number(b.isThis) - Number(a.isThis) || b.since.getTime() - a.since.getTime());
  const ended = list.filter((device) => !used.includes(device)).reverse();
  return (
    <>
      <ul className="members" aria-label="Devices in use">
        {used.map((device) => (
          <DeviceItem key={device.cardId} device={device}>
            {mayChange && !device.isThis && (
              <span className="link-row">
                {isUnknown(device) && (
                  <ConfirmButton devices={devices} device={device} className="link" />
                )}
                <button
                  type="button"
                  className="link"
                  onClick={() => {
                    onRemove(device);
                  }}
                >
                  Remove…<span className="visually-hidden"> {device.device ?? UNNAMED}</span>
                </button>
              </span>
            )}
          </DeviceItem>
        ))}
      </ul>
      {ended.length > 0 && (
        <details className="earlier">
          <summary>Earlier devices and keys ({ended.length})</summary>
          <ul className="members">
            {ended.map((device) => (
              <DeviceItem key={device.cardId} device={device} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
