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
  /** Whether the server has one, asked anew. */
  readonly isThere: () => Promise<boolean>;
  /** Asks the server again, and looks which keys this device has now. */
  readonly refresh: () => Promise<void>;
  /**
   * Adds the keys of this device to the backup.
   * @param password of this device, and of the backup from now on
   * @param formerPassword that of the backup so far, if it is another one
   */
  readonly save: (password: string, formerPassword?: string) => Promise<void>;
  readonly remove: () => Promise<void>;
  /** Deletes what this browser remembers of it. */
  readonly forget: () => void;
}

/** Follows the backup of somebody. */
export function backupOf({ access, encryption }: Session): Backup {
  // Neither the library nor the server tells when a backup was made, and of which cards it has keys.
  const note = `backed-up/${encryption.identity}`;

  const store = createStore<BackupState>({ exists: null, savedAt: savedAt() });

  function savedAt(): Date | null {
    const [cardId, moment] = remembered.get(note)?.split(' ') ?? [];
    const date = new Date(moment ?? '');
    return cardId === encryption.cardId && !Number.isNaN(date.getTime()) ? date : null;
  }

  return {
    ...store,
    isThere: access.hasBackup,
    async refresh() {
      store.patch({ savedAt: savedAt() });
      // Without an answer, nothing is said about it.
      const exists = await access.hasBackup().catch(() => null);
      store.patch({ exists });
    },
    async save(password, formerPassword = password) {
      await encryption.backup(password, { formerPassword });
      remembered.set(note, `${encryption.cardId} ${new Date().toISOString()}`);
      store.set({ exists: true, savedAt: savedAt() });
    },
    async remove() {
      await encryption.removeBackup();
      remembered.set(note, null);
      store.set({ exists: false, savedAt: null });
    },
    forget() {
      remembered.set(note, null);
    },
  };
}
