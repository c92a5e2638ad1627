import { sql, type Kysely } from 'kysely';
import { base64url } from 'twilio-chat-encryption/protocol';
import type { AuditReader, StoredCounts } from '../domain/audit-store.ts';
import { cardRecord } from './card-rows.ts';
import { inParts, mapNodeOf, storedNode, treeNodeName } from './log-rows.ts';
import type { Schema } from './schema.ts';

/** Reads all that any database holds that Kysely speaks to. */
export function createKyselyAuditReader(db: Kysely<Schema>): AuditReader {
  return {
    async counts() {
      const { rows } = await sql<StoredCounts>`select
        (select count(*) from log_entries) as entries,
        (select count(*) from log_tree) as tree,
        (select count(*) from log_map) as map`.execute(db);
      return rows[0] ?? { entries: 0, tree: 0, map: 0 };
    },

    async countCards() {
      const row = await db
        .selectFrom('cards')
        .select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    },

    async identities(after, limit) {
      const parts = await Promise.all(
        (['cards', 'log_entries'] as const).map((table) =>
          db
            .selectFrom(table)
            .select('identity')
            .distinct()
            .where('identity', '>', after)
            .orderBy('identity')
            .limit(limit)
            .execute(),
        ),
      );
      const all = new Set(parts.flat().map(({ identity }) => identity));
      return [...all].sort(byBytes).slice(0, limit);
    },

    async cardsOf(identities) {
      if (identities.length === 0) return [];
      const rows = await db
        .selectFrom('cards')
        .selectAll()
        .where('identity', 'in', identities)
        .orderBy('approved_at')
        .orderBy('id')
        .execute();
      return rows.map(cardRecord);
    },

    async treeNodes(nodes) {
      const names = nodes.map(treeNodeName);
      const rows = await inParts(names, (part) =>
        db.selectFrom('log_tree').selectAll().where('node', 'in', part).execute(),
      );
      const hashes = new Map(rows.map(({ node, hash }) => [node, base64url.decode(hash)]));
      return names.map((name) => hashes.get(name) ?? null);
    },

    async mapNodes(hashes) {
      const names = hashes.map(base64url.encode);
      const rows = await inParts(names, (part) =>
        db.selectFrom('log_map').selectAll().where('hash', 'in', part).execute(),
      );
      const nodes = new Map(rows.map((row) => [row.hash, mapNodeOf(storedNode(row))]));
      return names.map((name) => nodes.get(name) ?? null);
    },
  };
}

// As the databases order them; JavaScript's order is that of UTF-16.
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
