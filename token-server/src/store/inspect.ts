import { sql, type Kysely } from 'kysely';
import type { Store } from '../domain/store.ts';
import { createKyselyStore } from './kysely-store.ts';
import { LOCATION_FORMS, parseLocation } from './location.ts';
import { missingMigrations } from './migrations.ts';
import { checkEncoding, openPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';
import { openSqliteAsItIs } from './sqlite.ts';

/** A database that is looked at as it is, and not brought up to date. */
export interface InspectedDatabase {
  /** To be used only when no migration is missing. */
  readonly store: Store;
  /** The migrations that this version has and the database has not. */
  readonly missing: readonly string[];
  /** Writes something, and takes it back. */
  readonly tryWriting: () => Promise<void>;
  /** Milliseconds since 1970 by the database's clock. */
  readonly clock: () => Promise<number>;
}

/**
 * Opens a database without changing it. The file of a SQLite database must be there.
 *
 * @throws ServerError `UNAVAILABLE` when it does not answer; Error when it is none of ours
 */
export async function inspectDatabase(url: string): Promise<InspectedDatabase> {
  const location = parseLocation(url);
  if (location === null) throw new Error(`DATABASE_URL: ${LOCATION_FORMS}`);
  const isFile = location.kind === 'sqlite';
  const db = isFile
    ? openSqliteAsItIs(location.path)
    : await openPostgres(location.url, 'requests');
  try {
    if (!isFile) await checkEncoding(db);
    return {
      store: createKyselyStore(db),
      missing: await missingMigrations(db),
      tryWriting: () => writeAndTakeBack(db),
      clock: isFile ? () => Promise.resolve(Date.now()) : () => clockOf(db),
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

const TAKEN_BACK = new Error('Taken back');

async function writeAndTakeBack(db: Kysely<Schema>): Promise<void> {
  try {
    await db.transaction().execute(async (transaction) => {
      await transaction.insertInto('log_tree').values({ node: 'doctor', hash: '' }).execute();
      throw TAKEN_BACK;
    });
  } catch (error) {
    if (error !== TAKEN_BACK) throw error;
  }
}

async function clockOf(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ now: number }>`
    select (extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(db);
  return rows[0]?.now ?? NaN;
}
