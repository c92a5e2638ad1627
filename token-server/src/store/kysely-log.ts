import { sql, type Kysely } from 'kysely';
import { base64url, type Bytes } from 'twilio-chat-encryption/protocol';
import type { LogReader, LogWriter, ReadNodes, StoredNode } from '../domain/log-store.ts';
import { inParts, mapNodeOf, mapRow, storedEntry, storedNode, treeNodeName } from './log-rows.ts';
import type { Recent } from '../domain/recent.ts';
import { isOneOf } from './one-of.ts';
import type { Schema } from './schema.ts';

/** How many entries are read at once while the log begins again. */
const RESTART_PAGE = 100;

/** Nodes of the map by their hashes, as text. One of a transaction that failed is as right as any. */
export type NodeCache = Recent<StoredNode>;

/** Reads the log of any database that Kysely speaks to. */
export function createKyselyLogReader(db: Kysely<Schema>, cache: NodeCache): LogReader {
  const readNodes: ReadNodes = async (hashes) => {
    const found = hashes.map((hash) => cache.get(hash));
    const unknown = hashes.filter((_, index) => !found[index]);
    const rows = await inParts(unknown, (part) =>
      db
        .selectFrom('log_map')
        .selectAll()
        .where(isOneOf(db, 'hash', part))
        .execute(),
    );
    const read = new Map(rows.map((row) => [row.hash, storedNode(row)]));
    for (const [hash, node] of read) {
      if (!mapNodeOf(node)) throw missing();
      cache.set(hash, node);
    }
    return hashes.map((hash, index) => {
      const node = found[index] ?? read.get(hash);
      if (node) return node;
      throw missing();
    });
  };

  return {
    async size() {
      const row = await db
        .selectFrom('log_entries')
        .select(sql<number | null>`max(log_index)`.as('last'))
        // Below are those of a log that begins again just now.
        .where('log_index', '>=', 0)
        .executeTakeFirst();
      const last = row?.last ?? null;
      return last === null ? 0 : last + 1;
    },

    async last() {
      const row = await db
        .selectFrom('log_entries')
        .selectAll()
        .where('log_index', '>=', 0)
        .orderBy('log_index', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? null : storedEntry(row);
    },

    async entry(index) {
      const row = await db
        .selectFrom('log_entries')
        .selectAll()
        .where('log_index', '=', index)
        .executeTakeFirst();
      return row === undefined ? null : storedEntry(row);
    },

    async range(start, end) {
      const rows = await db
        .selectFrom('log_entries')
        .selectAll()
        .where('log_index', '>=', start)
        .where('log_index', '<', end)
        .orderBy('log_index')
        .execute();
      return rows.map(storedEntry);
    },

    async indexOf(identity, content) {
      const row = await db
        .selectFrom('log_entries')
        .select('log_index')
        .where('identity', '=', identity)
        .where('content', '=', content)
        .executeTakeFirst();
      return row?.log_index ?? null;
    },

    async entriesOf(identities, size) {
      if (identities.length === 0) return [];
      const rows = await db
        .selectFrom('log_entries')
        .selectAll()
        .where(isOneOf(db, 'identity', [...new Set(identities)]))
        .where('log_index', '<', size)
        .orderBy('log_index')
        .execute();
      return rows.map(storedEntry);
    },

    async measure(identities, size) {
      if (identities.length === 0) return 0;
      const row = await db
        .selectFrom('log_entries')
        .select(sql<number | string | null>`sum(length(content))`.as('characters'))
        .where(isOneOf(db, 'identity', [...new Set(identities)]))
        .where('log_index', '<', size)
        .executeTakeFirst();
      return Number(row?.characters ?? 0);
    },

    async readTree(nodes) {
      const names = nodes.map(treeNodeName);
      const rows = await inParts(names, (part) =>
        db
          .selectFrom('log_tree')
          .selectAll()
          .where(isOneOf(db, 'node', part))
          .execute(),
      );
      const hashes = new Map(rows.map(({ node, hash }) => [node, hash]));
      return names.map((name) => decode(hashes.get(name)));
    },

    readNodes,

    async readMap(hashes) {
      const nodes = await readNodes(hashes.map(base64url.encode));
      return nodes.map((stored) => {
        const node = mapNodeOf(stored);
        if (node) return node;
        throw missing();
      });
    },
  };
}

/** Writes the log too; `db` is a transaction. */
export function createKyselyLogWriter(db: Kysely<Schema>, cache: NodeCache): LogWriter {
  return {
    ...createKyselyLogReader(db, cache),
    async add({ index, identity, entry, content, mapRoot }, tree, map) {
      await db
        .insertInto('log_entries')
        .values({ log_index: index, identity, entry, content, map_root: mapRoot })
        .execute();
      await db
        .insertInto('log_tree')
        .values(
          tree.map((node) => ({ node: treeNodeName(node), hash: base64url.encode(node.hash) })),
        )
        .execute();
      const rows = map.map(mapRow);
      await db.insertInto('log_map').values(rows).execute();
      for (const row of rows) cache.set(row.hash, storedNode(row));
    },

    async *restart() {
      // Out of the way of the new ones: below 0.
      await db
        .updateTable('log_entries')
        .set({ log_index: sql<number>`-1 - log_index` })
        .execute();
      await db.deleteFrom('log_tree').execute();
      await db.deleteFrom('log_map').execute();
      for (;;) {
        const rows = await db
          .selectFrom('log_entries')
          .selectAll()
          .where('log_index', '<', 0)
          .orderBy('log_index', 'desc')
          .limit(RESTART_PAGE)
          .execute();
        const last = rows.at(-1);
        if (!last) return;
        await db
          .deleteFrom('log_entries')
          .where('log_index', '<', 0)
          .where('log_index', '>=', last.log_index)
          .execute();
        for (const row of rows) yield storedEntry({ ...row, log_index: -1 - row.log_index });
      }
    },
  };
}

function decode(text: string | undefined): Bytes {
  const bytes = text === undefined ? null : base64url.decode(text);
  if (bytes) return bytes;
  throw missing();
}

function missing(): Error {
  return new Error('A part of the log is missing in the database');
}
