import { sql, type Kysely } from 'kysely';
import { base64url, type Bytes, type MapNode } from 'twilio-chat-encryption/protocol';
import type { LogReader, LogWriter, StoredEntry } from '../domain/log-store.ts';
import type { Schema } from './schema.ts';

// Bound parameters of one statement: SQLite takes 32 766, PostgreSQL 65 535.
const MAX_PARAMETERS = 10_000;

/** Reads the log of any database that Kysely speaks to. */
export function createKyselyLogReader(db: Kysely<Schema>): LogReader {
  return {
    async size() {
      const row = await db
        .selectFrom('log_entries')
        .select(sql<number | null>`max(log_index)`.as('last'))
        .executeTakeFirst();
      const last = row?.last ?? null;
      return last === null ? 0 : last + 1;
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

    async entriesOf(identities, size) {
      if (identities.length === 0) return [];
      const rows = await db
        .selectFrom('log_entries')
        .selectAll()
        .where('identity', 'in', [...new Set(identities)])
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
        .where('identity', 'in', [...new Set(identities)])
        .where('log_index', '<', size)
        .executeTakeFirst();
      return Number(row?.characters ?? 0);
    },

    async readTree(nodes) {
      const names = nodes.map(({ level, index }) => `${level}/${index}`);
      const rows = await inParts(names, (part) =>
        db.selectFrom('log_tree').selectAll().where('node', 'in', part).execute(),
      );
      const hashes = new Map(rows.map(({ node, hash }) => [node, hash]));
      return names.map((name) => decode(hashes.get(name)));
    },

    async readMap(hashes) {
      const names = hashes.map(base64url.encode);
      const rows = await inParts(names, (part) =>
        db.selectFrom('log_map').selectAll().where('hash', 'in', part).execute(),
      );
      const nodes = new Map(rows.map((row) => [row.hash, mapNode(row)]));
      return names.map((name) => {
        const node = nodes.get(name);
        if (node) return node;
        throw missing();
      });
    },
  };
}

/** Writes the log too; `db` is a transaction. */
export function createKyselyLogWriter(db: Kysely<Schema>): LogWriter {
  return {
    ...createKyselyLogReader(db),
    async add({ index, identity, entry, content, mapRoot }, tree, map) {
      await db
        .insertInto('log_entries')
        .values({ log_index: index, identity, entry, content, map_root: mapRoot })
        .execute();
      await db
        .insertInto('log_tree')
        .values(
          tree.map(({ level, index: at, hash }) => ({
            node: `${level}/${at}`,
            hash: base64url.encode(hash),
          })),
        )
        .execute();
      await db.insertInto('log_map').values(map.map(mapRow)).execute();
    },
  };
}

async function inParts<T>(
  names: readonly string[],
  read: (part: readonly string[]) => Promise<T[]>,
): Promise<T[]> {
  const rows: T[] = [];
  const all = [...new Set(names)];
  for (let start = 0; start < all.length; start += MAX_PARAMETERS) {
    rows.push(...(await read(all.slice(start, start + MAX_PARAMETERS))));
  }
  return rows;
}

function storedEntry(row: Schema['log_entries']): StoredEntry {
  const { log_index: index, identity, entry, content, map_root: mapRoot } = row;
  return { index, identity, entry, content, mapRoot };
}

// A node is two hashes, a leaf an identity's hash, a number and a hash: one row holds either.
function mapRow({ hash, node }: { hash: Uint8Array; node: MapNode }): Schema['log_map'] {
  const [left, right, count] =
    'history' in node
      ? [node.identityHash, node.history, node.count]
      : [node.left, node.right, null];
  return {
    hash: base64url.encode(hash),
    left_part: base64url.encode(left),
    right_part: base64url.encode(right),
    count,
  };
}

function mapNode({ left_part: left, right_part: right, count }: Schema['log_map']): MapNode {
  return count === null
    ? { left: decode(left), right: decode(right) }
    : { identityHash: decode(left), history: decode(right), count };
}

function decode(text: string | undefined): Bytes {
  const bytes = text === undefined ? null : base64url.decode(text);
  if (bytes) return bytes;
  throw missing();
}

function missing(): Error {
  return new Error('A part of the log is missing in the database');
}
