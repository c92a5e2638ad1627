import type { Store } from '../domain/store.ts';
import { createKyselyStore } from './kysely-store.ts';
import { migrate } from './migrations.ts';
import { openSqlite } from './sqlite.ts';

/**
 * Opens the database of a URL and brings its schema up to date.
 *
 * @param url - `sqlite:<path>` or `sqlite::memory:`
 * @returns the store, and the names of the migrations that were applied now
 */
export async function openStore(
  url: string,
): Promise<{ readonly store: Store; readonly applied: readonly string[] }> {
  const db = openSqlite(url.slice('sqlite:'.length));
  try {
    const applied = await migrate(db);
    return { store: createKyselyStore(db), applied };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
