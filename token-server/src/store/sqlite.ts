import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import {
  CompiledQuery,
  Kysely,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type SqliteDialectConfig,
} from 'kysely';
import type { Schema } from './schema.ts';

/**
 * Opens a SQLite database, and makes the file and its folder when they are not there.
 *
 * @param path - of the file, or `:memory:`
 */
export function openSqlite(path: string): Kysely<Schema> {
  if (path !== ':memory:') createPrivately(path);
  const database = new Database(path);
  database.pragma('journal_mode = WAL');
  // A card that was answered as published must survive a power cut; WAL's usual NORMAL may lose it.
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  database.pragma('busy_timeout = 5000');
  return new Kysely<Schema>({ dialect: new ImmediateDialect({ database }) });
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

class ImmediateDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(config: SqliteDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#config);
  }
}
