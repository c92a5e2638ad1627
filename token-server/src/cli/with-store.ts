import { readDatabaseUrl } from '../config.ts';
import type { Environment } from '../environment.ts';
import type { Store } from '../domain/store.ts';
import { openStore } from '../store/open.ts';

/** Works on the database of an environment, and closes it whatever happens. */
export async function withStore<T>(
  environment: Environment,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const { store } = await openStore(readDatabaseUrl(environment));
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
