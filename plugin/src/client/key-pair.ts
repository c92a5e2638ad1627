/** One key pair of the low-level API, and where its secret is. */
import { checkOptions, passwordArgument } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import { curves } from '../protocol/curves.ts';
import { xwing } from '../protocol/xwing.ts';
import { openKeyRecord, sealKeyRecord } from '../protocol/key-record.ts';
import type { Bytes, RandomSource } from '../protocol/primitives.ts';
import { dataSealer, type DataSealer, type PrivateKeys } from './data-sealer.ts';
import type { KeyStore } from './key-store.ts';
import { exportSecret, recordName, splitSecret } from './saved-key.ts';

/** What key pairs work with. */
export interface KeyPairContext {
  readonly keyStore: KeyStore;
  readonly random: RandomSource;
  /** Throws `CLOSED` after the device was closed. */
  readonly checkOpen: () => void;
}

/** How a key that is saved already is unlocked. */
export interface SavedKeyOptions {
  /** The password that it is saved or loaded under. Default: the new password. */
  readonly currentPassword?: string;
}

/**
 * A key pair for signing and for encryption. Its private halves cannot be read; they leave it sealed
 * under a password only. All calls reject with `CLOSED` after `close()`.
 */
export interface KeyPair extends DataSealer {
  /**
   * Keeps the key in the key store under a password. An existing key is never overwritten.
   * @param name 1 to 256 characters
   * @param options the password of a key that is saved already, if it is another one
   * @throws EncryptionError `INVALID_ARGUMENT`, `KEY_EXISTS`, `WRONG_PASSWORD`,
   * `KEY_STORE_UNAVAILABLE`, `KEY_STORE_FULL`
   */
  save(name: string, password: string, options?: SavedKeyOptions): Promise<void>;
  /**
   * The key as a string under a password, to be kept or moved elsewhere.
   * @param options the password of a key that is saved already, if it is another one
   * @throws EncryptionError `INVALID_ARGUMENT`, `WRONG_PASSWORD`
   */
  export(password: string, options?: SavedKeyOptions): Promise<string>;
}

/** A record of a key in the key store. */
export interface SavedRecord {
  readonly name: string;
  readonly bytes: Bytes;
}

// Not members of the key pair: who has it may sign and decrypt through its methods, which label
// what they sign, and in no other way.
const privateKeys = new WeakMap<KeyPair, PrivateKeys>();

/**
 * The private keys of a key pair, for the library itself.
 * @throws EncryptionError `INVALID_ARGUMENT` for anything that is not one
 */
export function privateKeysOf(key: KeyPair): PrivateKeys {
  const found = privateKeys.get(key);
  if (found) return found;
  throw new EncryptionError('INVALID_ARGUMENT', 'This is not a key of keys.generate or load.');
}

/**
 * A key pair. A new key can be saved later, so its secret has to be somewhere until then, although
 * WebCrypto would keep it from us: it stays in this closure, and is wiped once the key is saved.
 * From then on there is only the record, sealed under the password: a script that gets hold of a
 * saved or loaded key can use it as long as it runs, but not carry it away.
 * @param secret of `makeSecret` or a record; belongs to the key pair from now on
 * @param saved the record that the secret is from, if it is kept in the key store
 * @throws EncryptionError `KEY_RECORD_DAMAGED`, `POST_QUANTUM_UNAVAILABLE`
 */
export async function keyPair(
  secret: Bytes,
  saved: SavedRecord | null,
  { keyStore, random, checkOpen }: KeyPairContext,
): Promise<KeyPair> {
  const keys = await importKeys(secret).catch((error: unknown) => {
    secret.fill(0);
    throw error;
  });
  let record = saved;
  if (record) secret.fill(0);

  /** Runs an action on a copy of the secret: another one may wipe the secret meanwhile. */
  async function withSecret<T>(password: string, action: (copy: Bytes) => Promise<T>): Promise<T> {
    checkOpen();
    const copy = record ? await openKeyRecord(record.name, record.bytes, password) : secret.slice();
    try {
      return await action(copy);
    } finally {
      copy.fill(0);
    }
  }

  async function save(name: string, password: string, options = {}): Promise<void> {
    const stored = recordName(name);
    await withSecret(currentPassword('save', password, options), async (copy) => {
      const bytes = await sealKeyRecord(stored, copy, password, random);
      await keyStore.update(stored, (existing) => {
        if (existing === null) return bytes;
        throw new EncryptionError('KEY_EXISTS', `A key is saved as ${name}; delete it first.`);
      });
      record = { name: stored, bytes };
      secret.fill(0);
    });
  }

  const sealer = dataSealer(keys, random, checkOpen);
  const result: KeyPair = Object.freeze<KeyPair>({
    ...sealer,
    save,
    export: async (password, options = {}) =>
      withSecret(currentPassword('export', password, options), (copy) =>
        exportSecret(copy, password, random),
      ),
  });
  privateKeys.set(result, keys);
  return result;
}

/** The password to unlock with. Checks both, before anything is computed for them. */
function currentPassword(method: string, password: string, options: SavedKeyOptions): string {
  checkOptions(options, ['currentPassword'], method);
  const { currentPassword: current = password } = options;
  passwordArgument(password);
  return passwordArgument(current, 'currentPassword');
}

async function importKeys(secret: Bytes): Promise<PrivateKeys> {
  const { signingSeed, encryptionSecret, pqSeed } = splitSecret(secret);
  const backEnd = await curves();
  return {
    signingKey: await backEnd.importSigningKey(signingSeed),
    encryptionKey: await backEnd.importAgreementKey(encryptionSecret),
    // At once and not when it is needed: until then the seed would have to be kept.
    ...(pqSeed && { pqEncryptionKey: await (await xwing()).importKey(pqSeed) }),
  };
}
