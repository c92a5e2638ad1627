import type { Kysely } from 'kysely';
import type { Store } from '../domain/store.ts';
import { createKyselyStore } from './kysely-store.ts';
import { LOCATION_FORMS, parseLocation } from './location.ts';
import { migrate } from './migrations.ts';
import { whileLocked } from './patience.ts';
import { checkEncoding, openPostgres, POSTGRES_TEXT } from './postgres.ts';
import type { Schema } from './schema.ts';
import { createSharedCounts } from './shared-counts.ts';
import { LOCK_TIMEOUT, openSqlite, SQLITE_TEXT, stopBlocking } from './sqlite.ts';

/** A store, and the names of the migrations that were applied to open it. */
export interface OpenedStore {
  readonly store: Store;
  readonly applied: readonly string[];
}

/**
 * Opens the database of a URL and brings its schema up to date.
 *
 * @param url - `sqlite:<path>`, `sqlite::memory:` or `postgres://…`
 * @throws ServerError `UNAVAILABLE` when the database does not answer; Error for a wrong URL, or when a
 *   migration fails
 */
export async function openStore(url: string): Promise<OpenedStore> {
  const location = parseLocation(url);
  // The URL may hold a password: it is not in the message.
  if (location === null) throw new Error(`DATABASE_URL: ${LOCATION_FORMS}`);
  return location.kind === 'sqlite' ? openFile(location.path) : openServer(location.url);
}

async function openFile(path: string): Promise<OpenedStore> {
  const db = openSqlite(path);
  try {
    const applied = await migrate(db, SQLITE_TEXT);
    await stopBlocking(db);
    return { store: createKyselyStore(db, whileLocked(LOCK_TIMEOUT)), applied };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function openServer(url: string): Promise<OpenedStore> {
  const applied = await migrateServer(await openPostgres(url, 'migrations'));
  const db = await openPostgres(url, 'requests');
  return { store: { ...createKyselyStore(db), counts: createSharedCounts(db) }, applied };
}

async function migrateServer(db: Kysely<Schema>): Promise<readonly string[]> {
  try {
    await checkEncoding(db);
    return await migrate(db, POSTGRES_TEXT);
  } finally {
    await db.destroy();
  }
}
