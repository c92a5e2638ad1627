import { useId, useState, type ReactNode } from 'react';
import type { OwnDevice } from 'twilio-chat-encryption';
import { isUnknown, type OwnDevices } from '../models/own-devices.ts';
import { CAUSES, UNNAMED, type RemovalCause } from '../texts/devices.ts';
import { ActionDialog } from './action-dialog.tsx';
import { dayForInput } from './dates.ts';

interface RemoveDeviceDialogProps {
  readonly devices: OwnDevices;
  readonly device: OwnDevice;
  readonly onDone: (cause: RemovalCause) => void;
  readonly onClose: () => void;
}

/** Asks why a device is removed, and removes it. */
export function RemoveDeviceDialog(props: RemoveDeviceDialogProps): ReactNode {
  const { devices, device, onDone, onClose } = props;
  const { device: name = UNNAMED, since } = device;
  const causes: readonly RemovalCause[] = isUnknown(device)
    ? ['foreign', 'unused']
    : ['unused', 'lost'];
  const [cause, setCause] = useState(causes[0] ?? 'unused');
  const [day, setDay] = useState(dayForInput(new Date()));

  function compromisedSince(): Date | null {
    if (cause === 'unused') return null;
    // The whole day, by this device's clock.
    return cause === 'foreign' ? since : new Date(`${day}T00:00`);
  }

  return (
    <ActionDialog
      title={`Remove ${name}?`}
      action="Remove this device"
      isDangerous
      progress="Removing…"
      perform={async () => {
        await devices.remove(device, compromisedSince());
        onDone(cause);
      }}
      onClose={onClose}
    >
      <fieldset className="choices">
        <legend>Why?</legend>
        {causes.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="cause"
              checked={cause === one}
              onChange={() => {
                setCause(one);
              }}
            />
            {CAUSES[one]}
          </label>
        ))}
      </fieldset>
      {cause === 'lost' && <LossField day={day} onChange={setDay} />}
      <p className="hint">
        Nothing new is encrypted for it, and nobody believes what it sends from now on. What it
        could read before, it still can. This cannot be undone: to use the device again, delete
        everything on it and sign in.
      </p>
    </ActionDialog>
  );
}

interface LossFieldProps {
  readonly day: string;
  readonly onChange: (day: string) => void;
}

function LossField({ day, onChange }: LossFieldProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Since when?</label>
      <input
        id={id}
        type="date"
        required
        max={dayForInput(new Date())}
        aria-describedby={`${id}-hint`}
        value={day}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
      <p className="hint" id={`${id}-hint`}>
        Devices that it confirmed since then count as unconfirmed again. Others are asked about
        them.
      </p>
    </div>
  );
}
