/**
 * Directories and key stores may be the application's own, and throw anything. Behind these guards
 * every error is typed, so that a message is never lost to a `TypeError`.
 */
import { EncryptionError, type ErrorCode } from '../errors.ts';
import type { Directory } from './directory.ts';
import type { KeyStore } from './key-store.ts';

async function guard<T>(code: ErrorCode, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof EncryptionError) throw cause;
    throw new EncryptionError(code, `${what} failed.`, { cause });
  }
}

/** The directory; whatever else it throws is `DIRECTORY_UNREACHABLE`. */
export function guardedDirectory(directory: Directory): Directory {
  const guarded = <T>(action: () => Promise<T>): Promise<T> =>
    guard('DIRECTORY_UNREACHABLE', 'The directory', action);
  return {
    publish: (card) => guarded(() => directory.publish(card)),
    find: (identities) => guarded(() => directory.find(identities)),
    get: (id) => guarded(() => directory.get(id)),
  };
}

/** The key store; whatever else it throws is `KEY_STORE_UNAVAILABLE`. */
export function guardedKeyStore(keyStore: KeyStore): KeyStore {
  const guarded = <T>(action: () => Promise<T>): Promise<T> =>
    guard('KEY_STORE_UNAVAILABLE', 'The key store', action);
  return {
    get: (name) => guarded(() => keyStore.get(name)),
    update: (name, change) => guarded(() => keyStore.update(name, change)),
  };
}
