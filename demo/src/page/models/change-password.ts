import { deriveAuthSecret, type Encryption } from 'twilio-chat-encryption';
import type { Session } from '../session/session.ts';
import { SETTINGS } from '../settings.ts';
import type { Backup } from './backup.ts';

/** What has the new password: of account, device and backup, perhaps not the last ones. */
export type PasswordChange = 'all' | 'notBackup' | 'onlyAccount';

/**
 * Changes the password of the account, of this device and of the backup. The server
 * comes first: with a wrong password nothing is done. Whatever still has the old one asks for it.
 * @throws ServerFailure when nothing was changed
 */
export async function changePassword(
  { identity, access, encryption }: Session,
  backup: Backup,
  current: string,
  next: string,
): Promise<PasswordChange> {
  const secretOf = (password: string): Promise<string> =>
    deriveAuthSecret(password, identity, SETTINGS.origin);
  await access.changeSecret(await secretOf(current), await secretOf(next));
  const isDeviceChanged = await succeeds(encryption.changePassword(current, next));
  if (!isDeviceChanged) return 'onlyAccount';
  const isBackupChanged = await succeeds(changeOfBackup(encryption, backup, current, next));
  return isBackupChanged ? 'all' : 'notBackup';
}

async function changeOfBackup(
  encryption: Encryption,
  backup: Backup,
  current: string,
  next: string,
): Promise<void> {
  if (await encryption.backupState()) await backup.save(next, current);
}

function succeeds(change: Promise<void>): Promise<boolean> {
  return change.then(
    () => true,
    () => false,
  );
}
