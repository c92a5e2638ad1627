/**
 * Directories and key stores may be the application's own, and throw anything. Behind these guards
 * every error is typed, so that a message is never lost to a `TypeError`.
 */
import { invalidArgument } from '../arguments.ts';
import { EncryptionError, isEncryptionError, type ErrorCode } from '../errors.ts';
import type { Bytes } from '../protocol/primitives.ts';
import type { BackupStore, Directory, StoredBackup } from './directory.ts';
import { lockedApart, type KeyStore, type RecordChange } from './key-store.ts';
import type { LogAnswer } from './log-source.ts';
import { isText, objectOf } from './shape.ts';

async function guard<T>(code: ErrorCode, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (isEncryptionError(cause)) throw cause;
    throw new EncryptionError(code, `${what} failed.`, { cause });
  }
}

/**
 * The directory; whatever else it throws is `DIRECTORY_UNREACHABLE`, and whatever it should not answer
 * `DIRECTORY_REFUSED`.
 */
export function guardedDirectory(directory: Directory): Directory {
  const guarded = <T>(action: () => Promise<T>): Promise<T> =>
    guard('DIRECTORY_UNREACHABLE', 'The directory', action);
  const { twilioToken, backups } = directory;
  return {
    ...(twilioToken && { twilioToken: () => guarded(() => twilioToken.call(directory)) }),
    ...(backups && { backups: guardedBackups(backups) }),
    async revoke(id, revocation) {
      await guarded(() => directory.revoke(id, revocation));
    },
    async publish(card) {
      const answer: unknown = await guarded(() => directory.publish(card));
      if (typeof answer === 'string') return answer;
      throw wrongAnswer('publish', 'the exported card');
    },
    async lookup(identities, from) {
      const answer: unknown = await guarded(() => directory.lookup(identities, from));
      if (isLogAnswer(answer)) return answer;
      throw wrongAnswer('lookup', 'a head, a lookup and a proof of consistency');
    },
    lookupAt: (identity, size) => guarded(() => directory.lookupAt(identity, size)),
    async consistency(from, to) {
      const answer: unknown = await guarded(() => directory.consistency(from, to));
      if (isTexts(answer)) return answer;
      throw wrongAnswer('consistency', 'an array of hashes');
    },
    async get(id) {
      const answer: unknown = await guarded(() => directory.get(id));
      if (typeof answer === 'string' || answer === null) return answer;
      throw wrongAnswer('get', 'an exported card, or null');
    },
  };
}

function guardedBackups(backups: BackupStore): BackupStore {
  const guarded = <T>(action: () => Promise<T>): Promise<T> =>
    guard('DIRECTORY_UNREACHABLE', 'The directory', action);
  return {
    async read() {
      const answer: unknown = await guarded(() => backups.read());
      if (answer === null || isStoredBackup(answer)) return answer;
      throw wrongAnswer('backups.read', 'a backup and its tag, or null');
    },
    // Only `true` says that something was done.
    write: async (backup, tag) => Object.is(await guarded(() => backups.write(backup, tag)), true),
    remove: async (tag) => Object.is(await guarded(() => backups.remove(tag)), true),
  };
}

const isStoredBackup = objectOf<StoredBackup>({ backup: isText, tag: isText });

function isLogAnswer(answer: unknown): answer is LogAnswer {
  if (typeof answer !== 'object' || answer === null) return false;
  if (!('head' in answer) || !('lookup' in answer) || !('consistency' in answer)) return false;
  return typeof answer.head === 'string' && isTexts(answer.consistency);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function wrongAnswer(method: string, expected: string): EncryptionError {
  return new EncryptionError(
    'DIRECTORY_REFUSED',
    `${method} of the directory did not give ${expected}.`,
  );
}

/**
 * The key store; whatever else it throws is `KEY_STORE_UNAVAILABLE`. One that does not do what it says
 * would lose numbers or keys without a word: that is `INVALID_ARGUMENT`.
 */
export function guardedKeyStore(keyStore: KeyStore): KeyStore {
  const guarded = <T>(action: () => Promise<T>): Promise<T> =>
    guard('KEY_STORE_UNAVAILABLE', 'The key store', action);
  return {
    get: async (name) => checkedRecord(await guarded(() => keyStore.get(name))),
    async update(name, change) {
      const seen = { change: false };
      await guarded(() =>
        keyStore.update(name, (current) => {
          seen.change = true;
          return change(checkedRecord(current));
        }),
      );
      if (seen.change) return;
      throw invalidArgument(
        'keyStore.update must call change with the record, or null, and did not.',
      );
    },
    ...(keyStore.updateAll && {
      async updateAll(changes) {
        const seen = new Set<RecordChange>();
        const watched = changes.map((one) => ({
          name: one.name,
          change(current: Bytes | null) {
            seen.add(one);
            return one.change(checkedRecord(current));
          },
        }));
        await guarded(async () => keyStore.updateAll?.(watched));
        if (seen.size === changes.length) return;
        throw invalidArgument('keyStore.updateAll must call each change, and did not.');
      },
    }),
    clear: (scope) => guarded(() => keyStore.clear(scope)),
    lock: (name, work) =>
      lockedApart(work, async (settling) => {
        const outcome = await guarded(() => keyStore.lock(name, settling));
        if (outcome instanceof Object) return outcome;
        throw invalidArgument(
          'keyStore.lock must run the work and give what it gives, and did not.',
        );
      }),
  };
}

function checkedRecord(record: Bytes | null): Bytes | null {
  if (record === null || ArrayBuffer.isView(record)) return record;
  throw invalidArgument('keyStore.get and keyStore.update must give a Uint8Array, or null.');
}
