import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { ServerError } from '../domain/errors.ts';

/**
 * A SQLite database that tells apart "not now" from all other failures, as the checked pool does for
 * PostgreSQL: that is a ServerError `UNAVAILABLE`. Nothing has to be opened again afterwards.
 */
export function createCheckedDatabase(database: SqliteDatabase): SqliteDatabase {
  return {
    prepare: (sql) => checkedStatement(checked(() => database.prepare(sql))),
    close() {
      database.close();
    },
  };
}

/** Whether another process held SQLite's lock, so that a statement did nothing at all. */
export function isLocked(error: unknown): boolean {
  return error instanceof ServerError && codeOf(error.cause) === 'SQLITE_BUSY';
}

function checkedStatement(statement: SqliteStatement): SqliteStatement {
  return {
    reader: statement.reader,
    all: (parameters) => checked(() => statement.all(parameters)),
    run: (parameters) => checked(() => statement.run(parameters)),
    iterate: (parameters) => statement.iterate(parameters),
  };
}

function checked<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!isUnavailable(codeOf(cause))) throw cause;
    throw new ServerError('UNAVAILABLE', 'The database cannot do that now.', { cause });
  }
}

/**
 * Whether SQLite gave one of the answers that somebody may not get a while later: locked by others,
 * disk full, unreadable or read-only, out of memory. A damaged file (`CORRUPT`, `NOTADB`) does not
 * mend itself.
 *
 * @see https://sqlite.org/rescode.html, whose extended codes begin with the primary ones
 */
function isUnavailable(code: string): boolean {
  return /^SQLITE_(?:BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|PROTOCOL|NOMEM)/.test(code);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
