import { useState, type ReactNode } from 'react';
import type { OwnDevices } from '../models/own-devices.ts';
import { explainPassword } from '../texts/devices.ts';
import { ActionDialog } from './action-dialog.tsx';
import { PasswordField } from './password-field.tsx';

interface RenewDialogProps {
  readonly devices: OwnDevices;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Asks for the password, and gives this device new keys. */
export function RenewDialog({ devices, onDone, onClose }: RenewDialogProps): ReactNode {
  const [password, setPassword] = useState('');
  return (
    <ActionDialog
      title="Renew the keys of this device"
      action="Renew keys"
      progress="Making new keys…"
      perform={async () => {
        await devices.renew(password);
        onDone();
      }}
      words={explainPassword}
      onClose={onClose}
    >
      <p>
        This device gets new keys, and tells others so. They are asked nothing, and you can read
        what you could read before. Other tabs of this page have to sign in again.
      </p>
      <PasswordField label="Your password" value={password} onChange={setPassword} />
    </ActionDialog>
  );
}
