import type { ReactNode } from 'react';
import type { Backup } from '../models/backup.ts';
import { ActionDialog } from './action-dialog.tsx';

interface RemoveBackupDialogProps {
  readonly backup: Backup;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Asks before the backup is removed. */
export function RemoveBackupDialog({
  backup,
  onDone,
  onClose,
}: RemoveBackupDialogProps): ReactNode {
  return (
    <ActionDialog
      title="Remove the backup?"
      action="Remove the backup"
      isDangerous
      progress="Removing…"
      perform={async () => {
        await backup.remove();
        onDone();
      }}
      onClose={onClose}
    >
      <p>
        It has the keys of all devices that were ever backed up. What only a device read that you do
        not have any more, nobody can read after this.
      </p>
    </ActionDialog>
  );
}
