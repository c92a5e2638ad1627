import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { EncryptionError } from '../errors.ts';
import type { Bytes } from '../protocol/primitives.ts';
import { lockFile } from './file-lock.ts';
import {
  busy,
  changedRecords,
  full,
  LOCK_PATIENCE_MILLISECONDS,
  lockedApart,
  scopeOf,
  type KeyStore,
  type RecordChange,
} from './key-store.ts';
import { queues } from './queues.ts';

const MAX_OPEN = 64;

// By path, so that of one process only one at a time asks the system for a lock.
const inThisProcess = queues();

/**
 * A key store in a folder: one file a record, readable by its owner only, each replaced as a
 * whole, and the records of a scope in a folder of their own. Shared by all processes that open the
 * folder on one machine. A full disk or quota is `KEY_STORE_FULL`; other errors of the file system are
 * `KEY_STORE_UNAVAILABLE`.
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
  update(name: string, change: RecordChange['change']): Promise<void> {
    return this.updateAll([{ name, change }]);
  }

  /** See {@link KeyStore.updateAll}: flushed together. After a crash each record is the old or the new one. */
  updateAll(changes: readonly RecordChange[]): Promise<void> {
    return this.#exclusively(join(this.#folder, 'update.lock'), async () => {
      const names = [...new Set(changes.map(({ name }) => name))];
      const stored = new Map<string, Bytes | null>();
      for (const some of parts(names)) {
        const records = await Promise.all(some.map((name) => this.get(name)));
        for (const [at, name] of some.entries()) stored.set(name, records[at] ?? null);
      }
      const changed = changedRecords(stored, changes);
      try {
        for (const some of parts([...changed])) await this.#write(some);
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
        await this.#deleteScope(scope);
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
      if (!this.#wasThere) await makeFolders(this.#folder);
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

  // Written beside, flushed, then renamed: a crash leaves the old record or the new one. What else it
  // leaves, the next one writes over: only one writes at a time.
  async #write(records: readonly (readonly [name: string, bytes: Bytes | null])[]): Promise<void> {
    const scopes = new Map(records.map(([name]) => [scopeOf(name), name]));
    for (const name of scopes.values()) await this.#makeScopeFolder(name);
    const paths = records.map(([name, bytes]) => ({ path: this.#path(name), bytes }));
    const written = await Promise.allSettled(
      paths.map(async ({ path, bytes }) => {
        if (bytes) await writeBeside(path, bytes);
      }),
    );
    try {
      for (const one of written) if (one.status === 'rejected') throw one.reason;
      for (const { path, bytes } of paths) {
        if (bytes) await rename(`${path}.next`, path);
        else await rm(path, { force: true });
      }
      for (const folder of new Set(paths.map(({ path }) => dirname(path)))) {
        await flushFolder(folder);
      }
    } catch (error) {
      for (const { path } of paths) await rm(`${path}.next`, { force: true });
      throw error;
    }
  }

  // Out of the way as a whole, then file by file: a crash leaves all records of the scope or none.
  async #deleteScope(scope: string): Promise<void> {
    const path = this.#scopeFolder(scope);
    const cleared = `${path}.cleared`;
    await rm(cleared, { recursive: true, force: true });
    try {
      await rename(path, cleared);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    await flushFolder(this.#folder);
    await rm(cleared, { recursive: true });
  }

  // Not with its parents: the store itself is not made anew.
  async #makeScopeFolder(name: string): Promise<void> {
    const scope = scopeOf(name);
    if (scope === null) return;
    try {
      await mkdir(this.#scopeFolder(scope), { mode: 0o700 });
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return;
      throw error;
    }
    await flushFolder(this.#folder);
  }

  #scopeFolder(scope: string): string {
    return join(this.#folder, digest(scope));
  }

  #path(name: string): string {
    const scope = scopeOf(name);
    return join(scope === null ? this.#folder : this.#scopeFolder(scope), `${digest(name)}.record`);
  }
}

async function writeBeside(path: string, bytes: Bytes): Promise<void> {
  const file = await open(`${path}.next`, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What is not opened at once more than a process may open. */
function parts<T>(all: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / MAX_OPEN);
  return Array.from({ length: count }, (_, at) => all.slice(at * MAX_OPEN, (at + 1) * MAX_OPEN));
}

// Names hold identities, which may be longer than a file name and contain any character. In UTF-8 all
// lone surrogates would be the same.
function digest(name: string): string {
  return createHash('sha256').update(name, 'utf16le').digest('hex');
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function makeFolders(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await flushFolder(dirname(made));
  }
}

// A new name is in its folder only when that is flushed, too. Where a folder cannot be opened (Windows, or
// one that others may not list) or flushed (some network file systems), there is nothing more to do, as
// in fsync_fname_ext of PostgreSQL.
async function flushFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!CANNOT_FLUSH.some((code) => hasCode(error, code))) throw error;
  }
}

const CANNOT_FLUSH = ['EISDIR', 'EACCES', 'EPERM', 'EBADF', 'EINVAL', 'ENOTSUP'];
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG'];

function unavailable(folder: string, cause: unknown): EncryptionError {
  if (cause instanceof EncryptionError) return cause;
  if (NO_ROOM.some((code) => hasCode(cause, code))) return full(cause);
  return new EncryptionError(
    'KEY_STORE_UNAVAILABLE',
    `The key store ${folder} cannot be used. It has to be a folder that this process may read and write, where files can be locked.`,
    { cause },
  );
}
