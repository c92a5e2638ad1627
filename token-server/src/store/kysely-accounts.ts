import type { Kysely } from 'kysely';
import type { AccountRecord } from '../domain/account-record.ts';
import type { Store, StoreTransaction } from '../domain/store.ts';
import type { Schema } from './schema.ts';

type AccountReader = Pick<Store, 'addAccount' | 'findAccount' | 'findBackup'>;

type AccountWriter = Pick<
  StoreTransaction,
  'findAccount' | 'changeAccount' | 'deleteAccount' | 'backupEtag' | 'putBackup' | 'deleteBackup'
>;

/** What needs no transaction of accounts and backups, in any database that Kysely speaks to. */
export function createKyselyAccountReader(db: Kysely<Schema>): AccountReader {
  return {
    async addAccount({ identity, secretHash, createdAt }) {
      const result = await db
        .insertInto('accounts')
        .values({
          identity,
          secret_hash: secretHash,
          created_at: createdAt,
          session_version: 0,
          deleted_at: null,
        })
        .onConflict((conflict) => conflict.column('identity').doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },

    findAccount: (identity) => findAccount(db, identity),

    async findBackup(identity) {
      const row = await db
        .selectFrom('backups')
        .select(['etag', 'backup'])
        .where('identity', '=', identity)
        .executeTakeFirst();
      return row ?? null;
    },
  };
}

/** Changes accounts and backups; `db` is a transaction. */
export function createKyselyAccountWriter(db: Kysely<Schema>): AccountWriter {
  return {
    findAccount: (identity) => findAccount(db, identity),

    async changeAccount(identity, { secretHash, sessionVersion }) {
      await db
        .updateTable('accounts')
        .set({ secret_hash: secretHash, session_version: sessionVersion })
        .where('identity', '=', identity)
        .execute();
    },

    async deleteAccount(identity, { deletedAt, sessionVersion }) {
      await db
        .updateTable('accounts')
        .set({ secret_hash: '', session_version: sessionVersion, deleted_at: deletedAt })
        .where('identity', '=', identity)
        .execute();
    },

    async backupEtag(identity) {
      const row = await db
        .selectFrom('backups')
        .select('etag')
        .where('identity', '=', identity)
        .executeTakeFirst();
      return row?.etag ?? null;
    },

    async putBackup(identity, { etag, backup }) {
      await db
        .insertInto('backups')
        .values({ identity, etag, backup })
        .onConflict((conflict) => conflict.column('identity').doUpdateSet({ etag, backup }))
        .execute();
    },

    async deleteBackup(identity) {
      await db.deleteFrom('backups').where('identity', '=', identity).execute();
    },
  };
}

async function findAccount(db: Kysely<Schema>, identity: string): Promise<AccountRecord | null> {
  const row = await db
    .selectFrom('accounts')
    .selectAll()
    .where('identity', '=', identity)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    identity: row.identity,
    secretHash: row.deleted_at === null ? row.secret_hash : null,
    createdAt: row.created_at,
    sessionVersion: row.session_version,
  };
}
