import { sql, type Expression, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { ServerError } from '../domain/errors.ts';
import type { Schema } from './schema.ts';

/**
 * Every change of the schema, oldest first, for all databases. A migration that was released is never
 * edited: the next one corrects it.
 *
 * @param text - the type of text that is compared by its bytes
 */
const migrations = (text: Expression<unknown>): Record<string, Migration> => ({
  // `cards.identity` refers to no account: with sign-in elsewhere there are cards and no accounts.
  '0001-accounts-and-cards': {
    async up(db) {
      await db.schema
        .createTable('accounts')
        .addColumn('identity', text, (column) => column.primaryKey().notNull())
        .addColumn('secret_hash', text, (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('cards')
        .addColumn('id', text, (column) => column.primaryKey().notNull())
        .addColumn('identity', text, (column) => column.notNull())
        .addColumn('exported', text, (column) => column.notNull())
        .addColumn('approved_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createIndex('cards_by_identity')
        .on('cards')
        .columns(['identity', 'approved_at'])
        .execute();
      await db.schema
        .createTable('card_keys')
        .addColumn('key', text, (column) => column.primaryKey().notNull())
        .addColumn('card_id', text, (column) => column.notNull().references('cards.id'))
        .execute();
    },
  },
  '0002-log': {
    async up(db) {
      await db.schema.alterTable('cards').addColumn('ended_at', 'bigint').execute();
      await db.schema.alterTable('cards').addColumn('revocation', text).execute();
      await db.schema
        .createTable('log_entries')
        .addColumn('log_index', 'bigint', (column) => column.primaryKey().notNull())
        .addColumn('identity', text, (column) => column.notNull())
        .addColumn('entry', text, (column) => column.notNull())
        .addColumn('content', text, (column) => column.notNull())
        .addColumn('map_root', text, (column) => column.notNull())
        .execute();
      await db.schema
        .createIndex('log_entries_by_identity')
        .on('log_entries')
        .columns(['identity', 'log_index'])
        .execute();
      await db.schema
        .createTable('log_tree')
        .addColumn('node', text, (column) => column.primaryKey().notNull())
        .addColumn('hash', text, (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('log_map')
        .addColumn('hash', text, (column) => column.primaryKey().notNull())
        .addColumn('left_part', text, (column) => column.notNull())
        .addColumn('right_part', text, (column) => column.notNull())
        .addColumn('count', 'bigint')
        .execute();
    },
  },
  // `backups.identity` refers to no account, for the same reason.
  '0003-backups': {
    async up(db) {
      await db.schema
        .alterTable('accounts')
        .addColumn('session_version', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema.alterTable('accounts').addColumn('deleted_at', 'bigint').execute();
      await db.schema
        .createTable('backups')
        .addColumn('identity', text, (column) => column.primaryKey().notNull())
        .addColumn('etag', text, (column) => column.notNull())
        .addColumn('backup', text, (column) => column.notNull())
        .execute();
    },
  },
  '0004-rate-limits': {
    async up(db) {
      await db.schema
        .createTable('rate_limits')
        .addColumn('key', text, (column) => column.primaryKey().notNull())
        .addColumn('points', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('expire', 'bigint')
        .execute();
      await db.schema
        .createIndex('rate_limits_by_expiry')
        .on('rate_limits')
        .column('expire')
        .execute();
    },
  },
});

/** They are applied in the order of their names, so this one comes after all others. */
const LAST =
  Object.keys(migrations(sql`text`))
    .toSorted()
    .at(-1) ?? '';

/**
 * Whether all migrations that this version knows were applied. A newer server's may be there too.
 *
 * @throws Error when there is no database of ours at all
 */
export async function isMigrated(db: Kysely<Schema>): Promise<boolean> {
  const { rows } = await sql<{ name: string }>`
    select name from kysely_migration where name = ${LAST}`.execute(db);
  return rows.length === 1;
}

/** The names of the migrations that were not applied yet. Changes nothing. */
export async function missingMigrations(db: Kysely<Schema>): Promise<readonly string[]> {
  const provider = { getMigrations: () => Promise.resolve(migrations(sql`text`)) };
  const all = await new Migrator({ db, provider }).getMigrations();
  return all.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
}

/**
 * Brings the schema up to date. Safe to run by several processes at once: on PostgreSQL, Kysely takes
 * an advisory lock.
 *
 * @param text - the type of text that is compared by its bytes
 * @returns the names of the migrations that were applied now
 */
export async function migrate(
  db: Kysely<Schema>,
  text: Expression<unknown>,
): Promise<readonly string[]> {
  const provider = { getMigrations: () => Promise.resolve(migrations(text)) };
  const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
  if (error instanceof ServerError) throw error;
  if (error !== undefined) throw new Error('A migration of the database failed', { cause: error });
  return (results ?? []).map(({ migrationName }) => migrationName);
}
