import type { Encryption } from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** What is known of the backup of one's keys. */
export interface BackupState {
  /** Whether the server has one; null until it said so. */
  readonly exists: boolean | null;
  /** When it was made, if the keys that this device has now were in it then. */
  readonly savedAt: Date | null;
  /** Whether another device wrote it since. */
  readonly isChanged: boolean;
}

/** The backup of one’s keys, which the server keeps. */
export interface Backup extends Readable<BackupState> {
  /** Asks the server again, and looks which keys this device has now. */
  readonly refresh: () => Promise<void>;
  /**
   * Adds the keys of this device to the backup.
   * @param password of this device, and of the backup from now on
   * @param formerPassword that of the backup so far, if it is another one
   */
  readonly save: (password: string, formerPassword?: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

const NONE = { exists: false, savedAt: null, isChanged: false } as const;

/** Follows the backup of somebody. */
export function backupOf(encryption: Encryption): Backup {
  const store = createStore<BackupState>({ ...NONE, exists: null });

  async function ask(): Promise<BackupState> {
    const state = await encryption.backupState();
    if (!state) return NONE;
    const { savedAt, cardIds, isChanged } = state;
    const isComplete = cardIds.includes(encryption.cardId);
    return { exists: true, savedAt: isComplete ? savedAt : null, isChanged };
  }

  async function refresh(): Promise<void> {
    // Without an answer, nothing is said about it.
    const asked = await ask().catch(() => ({ exists: null }));
    store.patch(asked);
  }

  return {
    ...store,
    refresh,
    async save(password, formerPassword = password) {
      await encryption.backup(password, { formerPassword });
      await refresh();
    },
    async remove() {
      await encryption.removeBackup();
      store.set(NONE);
    },
  };
}
