import { useState, type ReactNode } from 'react';
import { isEncryptionError } from 'twilio-chat-encryption';
import type { Backup } from '../models/backup.ts';
import { explainBackup } from '../texts/devices.ts';
import { ActionDialog } from './action-dialog.tsx';
import { PasswordField } from './password-field.tsx';

interface BackupDialogProps {
  readonly backup: Backup;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Asks for the password, and makes a backup. */
export function BackupDialog({ backup, onDone, onClose }: BackupDialogProps): ReactNode {
  const [password, setPassword] = useState('');
  const [former, setFormer] = useState('');
  const [isOther, setOther] = useState(false);
  const [isOutdated, setOutdated] = useState(false);

  async function save(): Promise<void> {
    try {
      if (isOutdated) await backup.remove();
      await (former === '' ? backup.save(password) : backup.save(password, former));
    } catch (error) {
      if (isEncryptionError(error) && error.passwordOf === 'backup') setOther(true);
      if (isEncryptionError(error, 'BACKUP_ROLLED_BACK')) setOutdated(true);
      throw error;
    }
    onDone();
  }

  return (
    <ActionDialog
      title="Back up your keys"
      action={isOutdated ? 'Start a new backup' : 'Back up'}
      progress="Sealing your keys. This takes some seconds…"
      perform={save}
      words={explainBackup}
      onClose={onClose}
    >
      <p>
        Your keys are sealed with your password, and the server keeps them for your next device. It
        cannot open them.
      </p>
      <PasswordField label="Your password" value={password} onChange={setPassword} />
      {isOther && (
        <PasswordField
          label="Password of the backup so far"
          isRequired={false}
          hint="Only if it differs from yours, with which the backup opens from then on. Whoever lost it removes the backup, and makes a new one."
          value={former}
          onChange={setFormer}
        />
      )}
      <p className="hint">
        Remember the password. Nobody can open the backup without it or give you another one,
        neither we nor the server.
      </p>
    </ActionDialog>
  );
}
