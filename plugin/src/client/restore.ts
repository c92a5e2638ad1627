/** Opening a device with the keys of a backup. */
import { passwordArgument } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import { openBackup } from './backup.ts';
import { cardLog } from './card-log.ts';
import { currentLog } from './current-log.ts';
import type { CheckedOptions } from './device-options.ts';
import { openDevice, type Device } from './device.ts';
import { MemoryKeyStore } from './key-store.ts';
import type { OwnDevice } from './own-devices.ts';
import { importOwnCard, type OwnCard } from './own-card.ts';

/** A device that has the keys of a backup. */
export interface RestoredDevice {
  readonly device: Device;
  /** When the backup was made, by the clock of the device that made it. */
  readonly savedAt: Date;
  /** Cards of this person whose keys were not in it: what only they were sent cannot be read. */
  readonly missing: readonly OwnDevice[];
}

/**
 * Opens a device, and gives it the keys of the backup. A new device's card is vouched for by one of the
 * backup's that is live, so that others trust it.
 * @param backupPassword that of the backup
 * @throws EncryptionError `BACKUP_NOT_FOUND`, `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, and those of
 * {@link openDevice}. If a device was made before, the next call goes on with it
 */
export async function restoreDevice(
  options: CheckedOptions,
  backupPassword: string,
): Promise<RestoredDevice> {
  const { identity, directory, password } = options;
  const backup = await openBackup(identity, passwordArgument(backupPassword), directory);
  if (!backup) {
    throw new EncryptionError(
      'BACKUP_NOT_FOUND',
      `The server has no backup of ${identity}. One is made by backup(), on a device that has the keys.`,
    );
  }
  try {
    const restored = await Promise.all(backup.keys.map((one) => importOwnCard(one, identity)));
    const cardIds = restored.map(({ card }) => card.id);
    const endorser = await liveOne(restored, options);
    const device = await openDevice(options, { endorser, cardIds });
    try {
      await device.changes.addKeys(password, backup);
      if (endorser) await device.devices.endorseThis(endorser);
      const missing = await missingIn(device);
      return { device, savedAt: new Date(backup.savedAt), missing };
    } catch (error) {
      device.close();
      throw error;
    }
  } finally {
    for (const { secrets } of backup.keys) secrets.fill(0);
  }
}

async function missingIn({ devices }: Device): Promise<readonly OwnDevice[]> {
  return (await devices.list()).filter(({ isReadable }) => !isReadable);
}

/** The newest of the backup's cards that is live: only such a one may vouch for another. */
async function liveOne(
  restored: readonly OwnCard[],
  options: CheckedOptions,
): Promise<OwnCard | null> {
  const { identity, directory, appKeys } = options;
  // The device that will remember what it saw of the log is not there yet.
  const records = new MemoryKeyStore();
  const log = cardLog({
    directory,
    records,
    ...(await currentLog({ ...options, records })),
    appKeys,
    identity,
    now: Date.now,
    closed: new AbortController().signal,
    onSplitView: () => undefined,
    onAuditFailed: () => undefined,
    onOwnHistory: () => Promise.resolve(),
  });
  const logged = (await log.lookUp([identity])).histories.get(identity)?.cards ?? [];
  const live = new Set(logged.filter(({ status }) => status === 'live').map(({ card }) => card.id));
  return restored.find(({ card }) => live.has(card.id)) ?? null;
}
