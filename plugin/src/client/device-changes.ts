/** What changes a device as a whole: its keys, its password, its backup, its end. */
import { checkOptions, passwordArgument } from '../arguments.ts';
import type { CardId } from '../protocol/identifiers.ts';
import { copyKeys, type StoredRing } from '../protocol/key-ring.ts';
import { equal } from '../protocol/primitives.ts';
import {
  backupState,
  makeBackup,
  removeBackup,
  sawBackup,
  withoutDeleted,
  type BackupState,
  type OpenedBackup,
} from './backup.ts';
import type { Directory } from './directory.ts';
import { importOwnCard } from './own-card.ts';
import { changeRing, deleteOldKeys, rotateKeys, type RotationContext } from './rotation.ts';

/** How a backup is made. */
export interface BackupOptions {
  /** The password of this device, if the backup's is another one. */
  readonly currentPassword?: string;
  /** The password of the backup so far, if it is to have another one. */
  readonly formerPassword?: string;
}

/** Changes of a device. See `Encryption`. */
export interface DeviceChanges {
  readonly rotate: (password: string) => Promise<CardId>;
  readonly changePassword: (currentPassword: string, newPassword: string) => Promise<void>;
  readonly backup: (password: string, options?: BackupOptions) => Promise<void>;
  readonly removeBackup: () => Promise<void>;
  readonly backupState: () => Promise<BackupState | null>;
  readonly cleanup: () => Promise<void>;
}

/** Changes that come with opening a device. */
export interface OpeningChanges {
  /** Replaces and deletes the keys whose time has come. */
  readonly maintain: (
    password: string,
    times: { readonly rotateAfter: number | null; readonly keepKeys: number | null },
  ) => Promise<void>;
  /** Adds the keys of a backup to those of the device, and trusts their cards. */
  readonly addKeys: (password: string, backup: OpenedBackup) => Promise<void>;
}

/** What {@link deviceChanges} works with. */
export interface DeviceChangesContext extends RotationContext {
  readonly directory: Directory;
  /** What the names of the device's records begin with. */
  readonly scope: string;
  readonly close: () => void;
}

/** The changes of one device. */
export function deviceChanges(
  context: DeviceChangesContext,
): Omit<DeviceChanges, 'cleanup'> & OpeningChanges {
  const { identity, keys, pins, presence, records, now } = context;

  async function rotate(password: string): Promise<CardId> {
    await presence.check();
    await rotateKeys(passwordArgument(password), context);
    return keys.current().card.id;
  }

  return {
    rotate,

    async changePassword(currentPassword, newPassword) {
      await presence.check();
      passwordArgument(currentPassword, 'currentPassword');
      passwordArgument(newPassword, 'newPassword');
      const same = (ring: StoredRing) => Promise.resolve({ ring, result: null });
      await changeRing(currentPassword, context, same, newPassword);
    },

    async backup(password, options = {}) {
      await presence.check();
      checkOptions(options, ['currentPassword', 'formerPassword'], 'backup');
      const { currentPassword = password, formerPassword = password } = options;
      passwordArgument(password);
      passwordArgument(currentPassword, 'currentPassword');
      passwordArgument(formerPassword, 'formerPassword');
      await makeBackup({ password, currentPassword, formerPassword }, context);
    },

    async removeBackup() {
      await presence.check();
      await removeBackup(context);
    },

    async backupState() {
      await presence.check();
      return backupState(context);
    },

    async maintain(password, { rotateAfter, keepKeys }) {
      const age = now() - keys.current().card.createdAt;
      if (rotateAfter !== null && age >= rotateAfter) await rotate(password);
      if (keepKeys !== null) await deleteOldKeys(password, keepKeys, context);
    },

    async addKeys(password, backup) {
      const wanted = await withoutDeleted(backup.keys, await context.deleted.ids());
      const added = await changeRing(password, context, (ring) => {
        const isThere = (secrets: Uint8Array): boolean =>
          ring.keys.some((own) => equal(own.secrets, secrets));
        const missing = wanted.filter(({ secrets }) => !isThere(secrets));
        const keys = [...ring.keys, ...copyKeys(missing)];
        const changed = missing.length > 0 ? { ...ring, keys } : null;
        return Promise.resolve({ ring: changed, result: missing });
      });
      const own = await Promise.all(added.map((stored) => importOwnCard(stored, identity)));
      keys.replace(keys.current(), [...keys.all().slice(1), ...own]);
      await pins.pin(
        identity,
        keys.all().map(({ card }) => card.id),
      );
      await sawBackup(backup, records);
    },
  };
}
