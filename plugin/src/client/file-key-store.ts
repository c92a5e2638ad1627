import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { EncryptionError } from '../errors.ts';
import type { Bytes } from '../protocol/primitives.ts';
import { lockFile } from './file-lock.ts';
import { busy, full, LOCK_PATIENCE_MILLISECONDS, lockedApart, type KeyStore } from './key-store.ts';
import { queues } from './queues.ts';

// By path, so that of one process only one at a time asks the system for a lock.
const inThisProcess = queues();

/**
 * A key store in a folder: one file a record, readable by its owner only, each replaced as a
 * whole. Shared by all processes that open the folder on one machine. A full disk or quota is
 * `KEY_STORE_FULL`; other errors of the file system are `KEY_STORE_UNAVAILABLE`.
 */
export class FileKeyStore implements KeyStore {
  readonly #folder: string;
  readonly #patience: number;
  // The folder was there: if it is gone later, so is the device, and nothing of it is made anew.
  #wasThere = false;

  /**
   * @param folder made with mode 0700 when it is not there
   * @param patience how many milliseconds to wait for a lock of another process
   */
  constructor(folder: string, patience = LOCK_PATIENCE_MILLISECONDS) {
    this.#folder = resolve(folder);
    this.#patience = patience;
  }

  /** See {@link KeyStore.get}. */
  async get(name: string): Promise<Bytes | null> {
    try {
      const record = new Uint8Array(await readFile(this.#path(name)));
      this.#wasThere = true;
      return record;
    } catch (cause) {
      if (isMissing(cause)) return null;
      throw unavailable(this.#folder, cause);
    }
  }

  /** See {@link KeyStore.update}. */
  update(name: string, change: (current: Bytes | null) => Bytes | null): Promise<void> {
    return this.#exclusively(join(this.#folder, 'update.lock'), async () => {
      const current = await this.get(name);
      const next = change(current);
      if (next === current) return;
      try {
        if (next === null) await rm(this.#path(name), { force: true });
        else await this.#replace(name, next);
      } catch (cause) {
        throw unavailable(this.#folder, cause);
      }
    });
  }

  /** See {@link KeyStore.lock}. */
  lock<T>(name: string, work: () => Promise<T>): Promise<T> {
    const path = join(this.#folder, `${digest(name)}.lock`);
    return this.#exclusively(path, work, `${path}.next`);
  }

  /** See {@link KeyStore.clear}. */
  clear(scope: string): Promise<void> {
    return this.#exclusively(join(this.#folder, 'update.lock'), async () => {
      try {
        await rm(this.#scopeFolder(scope), { recursive: true, force: true });
      } catch (cause) {
        throw unavailable(this.#folder, cause);
      }
    });
  }

  /** @param gate the lock of whoever is next: without it, who just had the lock would take it again */
  #exclusively<T>(path: string, work: () => Promise<T>, gate?: string): Promise<T> {
    return inThisProcess(path, () =>
      lockedApart(work, async (settling) => {
        const file = await this.#lockFile(path, gate);
        if (!file) throw busy();
        try {
          return await settling();
        } finally {
          await file.close();
        }
      }),
    );
  }

  async #lockFile(path: string, gate?: string): Promise<FileHandle | null> {
    const deadline = performance.now() + this.#patience;
    try {
      if (!this.#wasThere) await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      this.#wasThere = true;
      const next = gate === undefined ? undefined : await lockFile(gate, deadline);
      try {
        return next === null ? null : await lockFile(path, deadline);
      } finally {
        await next?.close();
      }
    } catch (cause) {
      throw unavailable(this.#folder, cause);
    }
  }

  // Written beside, flushed, then renamed: a crash leaves the old record or the new one.
  async #replace(name: string, bytes: Bytes): Promise<void> {
    const path = this.#path(name);
    const beside = `${path}.${randomUUID()}`;
    await this.#makeScopeFolder(name);
    try {
      const file = await open(beside, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
      await flushFolder(dirname(path));
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  // Not with its parents: the store itself is not made anew.
  async #makeScopeFolder(name: string): Promise<void> {
    const scope = scopeOf(name);
    if (scope === null) return;
    await mkdir(this.#scopeFolder(scope), { mode: 0o700 }).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
  }

  #scopeFolder(scope: string): string {
    return join(this.#folder, digest(scope));
  }

  #path(name: string): string {
    const scope = scopeOf(name);
    return join(scope === null ? this.#folder : this.#scopeFolder(scope), `${digest(name)}.record`);
  }
}

/** What stands before the first slash of a name, or null. */
function scopeOf(name: string): string | null {
  const end = name.indexOf('/');
  return end === -1 ? null : name.slice(0, end);
}

// Names hold identities, which may be longer than a file name and contain any character.
function digest(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

// A new name is in its folder only when that is flushed, too. Windows has no such call.
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch((error: unknown) => {
    if (process.platform === 'win32') return null;
    throw error;
  });
  try {
    await folder?.sync();
  } finally {
    await folder?.close();
  }
}

function unavailable(folder: string, cause: unknown): EncryptionError {
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].some((code) => hasCode(cause, code))) return full(cause);
  return new EncryptionError('KEY_STORE_UNAVAILABLE', `The key store ${folder} cannot be used.`, {
    cause,
  });
}
