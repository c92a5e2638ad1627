import { EncryptionError } from '../errors.ts';
import { openKeyRecord } from '../protocol/key-record.ts';
import { keyPair, type KeyPair, type KeyPairContext } from './key-pair.ts';
import { importSecret, makeSecret, recordName } from './saved-key.ts';

/**
 * Key pairs of the application's own, beside the device's. Those that are saved are in the device's
 * key store, under names that everybody who opens it shares. All calls reject with `CLOSED` after
 * `close()`.
 */
export interface Keys {
  /** A new key pair: in memory, until it is saved. */
  generate(): Promise<KeyPair>;
  /**
   * The key that was saved under this name.
   * @throws EncryptionError `INVALID_ARGUMENT`, `KEY_NOT_FOUND`, `WRONG_PASSWORD`,
   * `KEY_RECORD_DAMAGED`, `KEY_STORE_UNAVAILABLE`
   */
  load(name: string, password: string): Promise<KeyPair>;
  /** Whether a key is saved under this name. Errors: `INVALID_ARGUMENT`, `KEY_STORE_UNAVAILABLE`. */
  exists(name: string): Promise<boolean>;
  /** Deletes the key of this name, if there is one. Errors as {@link exists}. */
  delete(name: string): Promise<void>;
  /**
   * The key in a string that `key.export` made: in memory, until it is saved.
   * @throws EncryptionError `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`
   */
  import(exported: string, password: string): Promise<KeyPair>;
}

/** The keys in a device's key store. */
export function keys(context: KeyPairContext): Keys {
  const { keyStore, random, checkOpen } = context;
  return {
    async generate() {
      checkOpen();
      return keyPair(makeSecret(random), null, context);
    },

    async load(name, password) {
      checkOpen();
      const record = { name: recordName(name), bytes: await keyStore.get(recordName(name)) };
      const { bytes } = record;
      if (bytes === null) {
        throw new EncryptionError('KEY_NOT_FOUND', `No key is saved as ${name}.`);
      }
      const secret = await openKeyRecord(record.name, bytes, password);
      return keyPair(secret, { ...record, bytes }, context);
    },

    async exists(name) {
      checkOpen();
      return (await keyStore.get(recordName(name))) !== null;
    },

    async delete(name) {
      checkOpen();
      await keyStore.update(recordName(name), () => null);
    },

    async import(exported, password) {
      checkOpen();
      return keyPair(await importSecret(exported, password), null, context);
    },
  };
}
