import { checkBoolean, checkOptions, passwordArgument } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import { openKeyRecord } from '../protocol/key-record.ts';
import { keyPair, type KeyPair, type KeyPairContext } from './key-pair.ts';
import { importSecret, makeSecret, recordName } from './saved-key.ts';

/** What a new key pair is for. */
export interface KeyOptions {
  /**
   * Suite 2: what is sealed for this key's cards, and what the key seals, is encrypted with X-Wing
   * (ML-KEM-768 and X25519), so that what is recorded today stays secret from a quantum computer. As
   * with the option of this name when a device is opened, set it for everybody or nobody: such keys
   * and cards do not go together with others. Default: as the device's own card is.
   */
  readonly postQuantum?: boolean;
}

/**
 * Key pairs of the application's own, beside the device's. Those that are saved are in the device's
 * key store, under names that everybody who opens it shares. All calls reject with `CLOSED` after
 * `close()`.
 */
export interface Keys {
  /**
   * A new key pair: in memory, until it is saved.
   * @throws EncryptionError `INVALID_ARGUMENT`, also for an option that there is not,
   * `POST_QUANTUM_UNAVAILABLE`
   */
  generate(options?: KeyOptions): Promise<KeyPair>;
  /**
   * The key that was saved under this name.
   * @throws EncryptionError `INVALID_ARGUMENT`, `KEY_NOT_FOUND`, `WRONG_PASSWORD`,
   * `KEY_RECORD_DAMAGED`, `KEY_STORE_UNAVAILABLE`, `POST_QUANTUM_UNAVAILABLE`
   */
  load(name: string, password: string): Promise<KeyPair>;
  /** Whether a key is saved under this name. Errors: `INVALID_ARGUMENT`, `KEY_STORE_UNAVAILABLE`. */
  exists(name: string): Promise<boolean>;
  /** Deletes the key of this name, if there is one. Errors as {@link exists}. */
  delete(name: string): Promise<void>;
  /**
   * The key in a string that `key.export` made: in memory, until it is saved.
   * @throws EncryptionError `INVALID_ARGUMENT`, `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`,
   * `POST_QUANTUM_UNAVAILABLE`
   */
  import(exported: string, password: string): Promise<KeyPair>;
}

/** What {@link keys} works with. */
export interface KeysContext extends KeyPairContext {
  /** Whether keys take part in suite 2 when it is not said. */
  readonly postQuantum?: boolean;
}

/** The keys in a device's key store. */
export function keys(context: KeysContext): Keys {
  const { keyStore, random, checkOpen, postQuantum: usual = false } = context;
  return Object.freeze<Keys>({
    async generate(options = {}) {
      checkOpen();
      // An option that is misspelt must not be believed to be in force.
      checkOptions(options, ['postQuantum'], 'keys.generate');
      const { postQuantum = usual } = options;
      checkBoolean(postQuantum, 'postQuantum');
      return keyPair(makeSecret(random, postQuantum), null, context);
    },

    async load(name, password) {
      checkOpen();
      passwordArgument(password);
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
  });
}
