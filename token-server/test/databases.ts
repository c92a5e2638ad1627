import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { inject } from 'vitest';
import { openStore, type Store } from '../src/index.ts';
import { afterTest, temporaryFolder } from './support.ts';

/** Every database that a store can be in. */
export const DATABASES = [
  { name: 'SQLite', create: () => Promise.resolve(createSqliteFile()) },
  { name: 'PostgreSQL', create: () => createPostgresDatabase() },
] as const;

/** Its URL; the file is not there yet. */
export function createSqliteFile(): string {
  return `sqlite:${join(temporaryFolder(), 'server.db')}`;
}

// Letters are ordered as in dictionaries, not by their bytes: the store must not rely on it.
const ENGLISH = `encoding 'UTF8' locale_provider icu icu_locale 'en-US' locale 'C'`;

/**
 * Makes an empty database in the PostgreSQL of this run.
 *
 * @param server - the URL of another PostgreSQL
 * @returns its URL
 */
export async function createPostgresDatabase(
  options: { readonly server?: string; readonly form?: string } = {},
): Promise<string> {
  const { server = inject('postgresUrl'), form = ENGLISH } = options;
  const name = `test_${randomBytes(8).toString('hex')}`;
  await query(server, `create database ${name} template template0 ${form}`);
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, text: string): Promise<readonly QueryResultRow[]> {
  const client = new Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<QueryResultRow>(text);
    return rows;
  } finally {
    await client.end();
  }
}

/** Opens a store until the end of the test. */
export async function open(url: string): Promise<Store> {
  const { store } = await openStore(url);
  afterTest(() => store.close());
  return store;
}
