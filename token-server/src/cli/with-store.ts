import { existsSync } from 'node:fs';
import { readDatabaseUrl } from '../config.ts';
import type { Environment } from '../environment.ts';
import type { Store } from '../domain/store.ts';
import { parseLocation } from '../store/location.ts';
import { openStore } from '../store/open.ts';

/** Works on the database of an environment, which must be there, and closes it whatever happens. */
export async function withStore<T>(
  environment: Environment,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const url = readDatabaseUrl(environment);
  requireFile(url);
  const { store } = await openStore(url);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** In another folder than the server's, a new database would be opened, in which nothing is wrong. */
function requireFile(url: string): void {
  const location = parseLocation(url);
  if (location?.kind !== 'sqlite' || location.path === ':memory:') return;
  if (existsSync(location.path)) return;
  throw new Error(`There is no database ${location.path} here. See DATABASE_URL.`);
}
