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
} from 'kysely';
import { createCheckedDatabase } from './checked-database.ts';
import type { Schema } from './schema.ts';

/** Text that is compared and ordered by its bytes, which is SQLite's way. */
export const SQLITE_TEXT: Expression<unknown> = sql`text`;

/** How long to wait for the locks of other processes, in milliseconds. */
export const LOCK_TIMEOUT = 5000;

/**
 * Opens a SQLite database, and makes the file and its folder when they are not there.
 *
 * @param path - of the file, or `:memory:`
 */
export function openSqlite(path: string): Kysely<Schema> {
  if (path !== ':memory:') createPrivately(path);
  const database = connect(path);
  database.pragma('journal_mode = WAL');
  return new Kysely<Schema>({ dialect: createDialect(database) });
}

/**
 * Opens a SQLite database that is there, and changes nothing of how it is kept.
 *
 * @param path - of the file, or `:memory:`
 */
export function openSqliteAsItIs(path: string): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: createDialect(connect(path)) });
}

function connect(path: string): Database.Database {
  // SQLite's own wait blocks this process, which does not matter before it serves.
  const database = new Database(path, { timeout: LOCK_TIMEOUT });
  // A card that was answered as published must survive a power cut; WAL's usual NORMAL may lose it.
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  return database;
}

/** From now on a lock fails a statement nearly at once; see `whileLocked`. */
export async function stopBlocking(db: Kysely<Schema>): Promise<void> {
  await sql`pragma busy_timeout = 5`.execute(db);
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
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    super({ database: createCheckedDatabase(database) });
    this.#database = database;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** A full disk, among others, has ended the transaction already, and there is none to end. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await super.rollbackTransaction(connection);
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

function createDialect(database: Database.Database): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new ImmediateDriver(database),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
