/** Whether a device is still there: it may be removed in another tab while it is open in this one. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import { equal } from '../protocol/primitives.ts';
import type { KeyStore } from './key-store.ts';
import type { StoredRecord } from './own-card.ts';

/** What a device looks at before it writes. */
export interface Presence {
  /**
   * Rejects when the record of the device's keys is not the one that was opened.
   * @throws EncryptionError `DEVICE_REMOVED`, what `checkOpen` throws, and the key store's errors
   */
  readonly check: () => Promise<void>;
  /** The same store; who gets a lock of it, after waiting perhaps, looks first. */
  readonly guard: (store: KeyStore) => KeyStore;
}

/** What {@link presence} works with. */
export interface PresenceContext {
  readonly keyStore: KeyStore;
  /** Of the device's keys, as it was opened. */
  readonly record: StoredRecord;
  /** Throws after the device was closed. */
  readonly checkOpen: () => void;
  /** Is called before a rejection. */
  readonly onRemoved: () => void;
}

/**
 * The presence of one device. What it remembers is nothing without its keys: if it were written anew,
 * numbers would start again, and the next device would find records that it cannot open.
 */
export function presence(context: PresenceContext): Presence {
  const { keyStore, record, checkOpen, onRemoved } = context;
  const { name, bytes } = record;

  async function check(): Promise<void> {
    checkOpen();
    const stored = await keyStore.get(name);
    if (stored && equal(stored, bytes)) return;
    onRemoved();
    throw removed();
  }

  return {
    check,
    guard: (store) => ({
      ...store,
      async lock(lockName, work) {
        try {
          return await store.lock(lockName, async () => {
            await check();
            return work();
          });
        } catch (error) {
          // A store that is gone as a whole has no locks either.
          if (isEncryptionError(error, 'KEY_STORE_UNAVAILABLE')) await check();
          throw error;
        }
      },
    }),
  };
}

/** The error of a device that was removed. */
export function removed(): EncryptionError {
  return new EncryptionError(
    'DEVICE_REMOVED',
    "This device's key was removed, in another tab perhaps. Open it again.",
  );
}
