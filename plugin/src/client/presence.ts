/** Whether a device is still there: it may be removed in another tab while it is open in this one. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import { equal, type Bytes } from '../protocol/primitives.ts';
import type { StoredRecord } from './device-keys.ts';
import type { KeyStore } from './key-store.ts';
import type { Records } from './state.ts';

/** What a device looks at before it writes. */
export interface Presence {
  /**
   * Rejects when the record of the device's keys is not the one that was opened.
   * @throws EncryptionError `DEVICE_REMOVED`, what `checkOpen` throws, and the key store's errors
   */
  readonly check: () => Promise<void>;
  /** The same store; who gets a lock of it, after waiting perhaps, looks first. */
  readonly guard: (store: Records) => Records;
  /** The record of the keys. */
  readonly record: () => StoredRecord;
  /**
   * Replaces the record of the keys; errors as {@link check}. Only while the lock of its name is held.
   */
  readonly replace: (bytes: Bytes) => Promise<void>;
}

/** Why a device is not there any more: its keys are gone, or others are in their place. */
export type RemovalReason = 'removed' | 'replaced';

/** What {@link presence} works with. */
export interface PresenceContext {
  readonly keyStore: KeyStore;
  /** Of the device's keys, as it was opened. */
  readonly record: StoredRecord;
  /** Throws after the device was closed. */
  readonly checkOpen: () => void;
  /** Is called before a rejection. */
  readonly onRemoved: (reason: RemovalReason) => void;
}

/**
 * The presence of one device. What it remembers is nothing without its keys: if it were written anew,
 * numbers would start again, and the next device would find records that it cannot open.
 */
export function presence(context: PresenceContext): Presence {
  const { keyStore, checkOpen, onRemoved } = context;
  const { name } = context.record;
  // While one replaces the other, both are this device's.
  let known: readonly Bytes[] = [context.record.bytes];

  async function check(): Promise<void> {
    checkOpen();
    const stored = await keyStore.get(name);
    if (stored && known.some((bytes) => equal(stored, bytes))) return;
    onRemoved(stored ? 'replaced' : 'removed');
    throw removed();
  }

  async function replace(bytes: Bytes): Promise<void> {
    await check();
    const before = known;
    known = [bytes, ...before];
    try {
      await keyStore.update(name, (stored) => {
        if (stored && before.some((one) => equal(stored, one))) return bytes;
        throw removed();
      });
      known = [bytes];
    } catch (error) {
      known = before;
      throw error;
    }
  }

  return {
    check,
    replace,
    record: () => ({ name, bytes: known[0] ?? context.record.bytes }),
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
    "This device's key was removed or replaced, in another tab perhaps. Open it again.",
  );
}
