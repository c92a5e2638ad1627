import type { ReactNode } from 'react';
import type { OwnDevice } from 'twilio-chat-encryption';
import type { OwnDevices } from '../models/own-devices.ts';
import { useAction } from './use-action.ts';

interface ConfirmButtonProps {
  readonly devices: OwnDevices;
  readonly device: OwnDevice;
  readonly className: 'link' | 'secondary';
}

/** Says that a device is one's own. */
export function ConfirmButton({ devices, device, className }: ConfirmButtonProps): ReactNode {
  const { busy, error, run } = useAction();
  return (
    <>
      <button
        type="button"
        className={className}
        disabled={busy}
        onClick={() => {
          run(() => devices.confirm(device));
        }}
      >
        Yes, it is mine
      </button>
      {error !== null && <span role="alert">{error}</span>}
    </>
  );
}
