import { readDatabaseUrl } from '../config.ts';
import { openStore } from '../store/open.ts';
import { loadEnvironment } from './environment.ts';

/**
 * `migrate`: brings the database up to date.
 *
 * @throws ConfigError for a wrong `DATABASE_URL`, Error when a migration fails
 */
export async function migrateDatabase(envFile: string): Promise<void> {
  const { store, applied } = await openStore(readDatabaseUrl(loadEnvironment(envFile)));
  await store.close();
  for (const name of applied) console.log(`applied ${name}`);
  console.log('The database is up to date.');
}
