import { remembered } from '../session/remembered.ts';
import type { Session } from '../session/session.ts';
import { createStore, type Readable } from './store.ts';

/** What is known of the backup of one's keys. */
export interface BackupState {
  /** Whether the server has one; null until it said so. */
  readonly exists: boolean | null;
  /** When the keys that this device has now were added to it, as far as this browser remembers. */
  readonly savedAt: Date | null;
}

/** The backup of one’s keys, which the server keeps. */
export interface Backup extends Readable<BackupState> {
  /** Asks the server again, and looks which keys this device has now. */
  readonly refresh: () => Promise<void>;
  /**
   * Adds the keys of this device to the backup.
   * @param password of this device
   * @param backupPassword that of the backup, if it is another one
   */
  readonly save: (password: string, backupPassword?: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Follows the backup of somebody. */
export function backupOf({ access, encryption }: Session): Backup {
  const store = createStore<BackupState>({ exists: null, savedAt: savedAt() });

  // The library and the server do not tell when a backup was made, or of which devices it has keys.
  function noteName(): string {
    return `backed-up/${encryption.cardId}`;
  }

  function savedAt(): Date | null {
    const note = remembered.get(noteName());
    return note === null ? null : new Date(note);
  }

  return {
    ...store,
    async refresh() {
      store.patch({ savedAt: savedAt() });
      // Without an answer, nothing is said about it.
      const exists = await access.hasBackup().catch(() => null);
      store.patch({ exists });
    },
    async save(password, backupPassword = password) {
      await encryption.backup(backupPassword, { currentPassword: password });
      remembered.set(noteName(), new Date().toISOString());
      store.set({ exists: true, savedAt: savedAt() });
    },
    async remove() {
      await encryption.removeBackup();
      remembered.set(noteName(), null);
      store.set({ exists: false, savedAt: null });
    },
  };
}
