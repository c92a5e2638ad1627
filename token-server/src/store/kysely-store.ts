import type { Kysely } from 'kysely';
import type { CardRecord } from '../domain/card-record.ts';
import { ServerError } from '../domain/errors.ts';
import type { Store, StoreTransaction } from '../domain/store.ts';
import { cardRecord } from './card-rows.ts';
import { createKyselyAccountReader, createKyselyAccountWriter } from './kysely-accounts.ts';
import { createKyselyAuditReader } from './kysely-audit.ts';
import { createKyselyLogReader, createKyselyLogWriter, type NodeCache } from './kysely-log.ts';
import { isMigrated } from './migrations.ts';
import { once, type Attempts } from './patience.ts';
import { Recent } from '../domain/recent.ts';
import type { Schema } from './schema.ts';

/** Of the map, some 300 bytes each: its upper part, which every lookup reads, and what was used lately. */
const CACHED_NODES = 65_536;

/**
 * The store over any database that Kysely speaks to. The schema must be up to date.
 *
 * @param attempts - how writes wait for those of other processes
 */
export function createKyselyStore(db: Kysely<Schema>, attempts: Attempts = once): Store {
  const cache: NodeCache = new Recent(CACHED_NODES);
  const accounts = createKyselyAccountReader(db);
  return {
    ...accounts,

    addAccount: (account) => attempts(() => accounts.addAccount(account)),

    findCard: (id) => findCard(db, id),

    log: createKyselyLogReader(db, cache),

    audit: createKyselyAuditReader(db),

    transaction: (work) =>
      attempts((begin) =>
        db.transaction().execute((inner) => {
          begin();
          return work(createTransaction(inner, cache));
        }),
      ),

    async ping() {
      if (await isMigrated(db)) return;
      throw new ServerError('UNAVAILABLE', 'The database is older than this server.');
    },

    close: () => db.destroy(),
  };
}

function createTransaction(db: Kysely<Schema>, cache: NodeCache): StoreTransaction {
  return {
    ...createKyselyAccountWriter(db),

    findCard: (id) => findCard(db, id),

    async anyKeyUsed(keys) {
      const row = await db
        .selectFrom('card_keys')
        .select('card_id')
        .where('key', 'in', keys)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },

    async countLiveCards(identity) {
      const row = await db
        .selectFrom('cards')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('identity', '=', identity)
        .where('ended_at', 'is', null)
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },

    async liveCardIds(identity) {
      const rows = await db
        .selectFrom('cards')
        .select('id')
        .where('identity', '=', identity)
        .where('ended_at', 'is', null)
        .orderBy('approved_at')
        .orderBy('id')
        .execute();
      return rows.map(({ id }) => id);
    },

    async addCard({ id, identity, exported, approvedAt, keys }) {
      await db
        .insertInto('cards')
        .values({
          id,
          identity,
          exported,
          approved_at: approvedAt,
          ended_at: null,
          revocation: null,
        })
        .execute();
      await db
        .insertInto('card_keys')
        .values(keys.map((key) => ({ key, card_id: id })))
        .execute();
    },

    async replaceExport(id, exported) {
      await db.updateTable('cards').set({ exported }).where('id', '=', id).execute();
    },

    async endCard(id, at, revocation) {
      await db
        .updateTable('cards')
        .set({ ended_at: at, revocation })
        .where('id', '=', id)
        .execute();
    },

    async allCards() {
      const rows = await db
        .selectFrom('cards')
        .selectAll()
        .orderBy('approved_at')
        .orderBy('id')
        .execute();
      return rows.map(cardRecord);
    },

    log: createKyselyLogWriter(db, cache),
  };
}

async function findCard(db: Kysely<Schema>, id: string): Promise<CardRecord | null> {
  const row = await db.selectFrom('cards').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : cardRecord(row);
}
