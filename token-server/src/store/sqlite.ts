import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import {
  CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type DatabaseConnection,
  type Dialect,
  type Expression,
  type SqliteDialectConfig,
} from 'kysely';
import type { Schema } from './schema.ts';

/** Text that is compared and ordered by its bytes, which is SQLite's way. */
export const SQLITE_TEXT: Expression<unknown> = sql`text`;

/**
 * Opens a SQLite database, and makes the file and its folder when they are not there.
 *
 * @param path - of the file, or `:memory:`
 */
export function openSqlite(path: string): Kysely<Schema> {
  if (path !== ':memory:') createPrivately(path);
  // How long to wait for the locks of other processes. The wait blocks this one: keep it short.
  const database = new Database(path, { timeout: 5000 });
  database.pragma('journal_mode = WAL');
  // A card that was answered as published must survive a power cut; WAL's usual NORMAL may lose it.
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  return new Kysely<Schema>({ dialect: createDialect({ database }) });
}

/** The file holds secret hashes: nobody but the server's user may read it, whatever the umask. */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
}

/**
 * Starts transactions with the write lock taken. With SQLite's deferred default, two processes that
 * read and then write would both start, and one fail with SQLITE_BUSY without waiting.
 */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/**
 * Migrates within a transaction, which Kysely leaves out for SQLite: two processes that start at
 * once take turns, and a migration that fails half-way leaves nothing.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function createDialect(config: SqliteDialectConfig): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new ImmediateDriver(config),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
