import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EncryptionError } from '../errors.ts';
import type { Bytes } from '../protocol/primitives.ts';
import type { KeyStore } from './key-store.ts';

// By folder, so that two stores of one process on one folder wait for each other too.
const lastUpdates = new Map<string, Promise<unknown>>();

/**
 * A key store in a folder: one file a record, readable by its owner only, each replaced as a
 * whole. For one process at a time. Errors of the file system are `KEY_STORE_UNAVAILABLE`.
 */
export class FileKeyStore implements KeyStore {
  readonly #folder: string;

  /** @param folder made with mode 0700 when it is not there */
  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  /** See {@link KeyStore.get}. */
  async get(name: string): Promise<Bytes | null> {
    try {
      return new Uint8Array(await readFile(this.#path(name)));
    } catch (cause) {
      if (isMissing(cause)) return null;
      throw unavailable(this.#folder, cause);
    }
  }

  /** See {@link KeyStore.update}. */
  update(name: string, change: (current: Bytes | null) => Bytes | null): Promise<void> {
    const last = lastUpdates.get(this.#folder) ?? Promise.resolve();
    const update = last.then(async () => {
      const next = change(await this.get(name));
      try {
        if (next === null) await rm(this.#path(name), { force: true });
        else await this.#replace(this.#path(name), next);
      } catch (cause) {
        throw unavailable(this.#folder, cause);
      }
    });
    const settled = update.catch(() => undefined);
    lastUpdates.set(this.#folder, settled);
    return update;
  }

  // Written beside, flushed, then renamed: a crash leaves the old record or the new one.
  async #replace(path: string, bytes: Bytes): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const beside = `${path}.${randomUUID()}`;
    try {
      const file = await open(beside, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  // Names hold identities, which may be longer than a file name and contain any character.
  #path(name: string): string {
    return join(this.#folder, createHash('sha256').update(name).digest('hex'));
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unavailable(folder: string, cause: unknown): EncryptionError {
  return new EncryptionError('KEY_STORE_UNAVAILABLE', `The key store ${folder} cannot be used.`, {
    cause,
  });
}
