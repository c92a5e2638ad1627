/** How parts of the log become rows, and rows parts. */
import { base64url, type MapNode, type TreeNode } from 'twilio-chat-encryption/protocol';
import type { StoredEntry, StoredNode } from '../domain/log-store.ts';
import type { Schema } from './schema.ts';

// Bound parameters of one statement: SQLite takes 32 766, PostgreSQL 65 535.
const MAX_PARAMETERS = 10_000;

/** The rows that `read` gives for these names, each asked for once. */
export async function inParts<T>(
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

/** The primary key of a subtree. */
export function treeNodeName({ level, index }: TreeNode): string {
  return `${level}/${index}`;
}

/** An entry out of its row. */
export function storedEntry(row: Schema['log_entries']): StoredEntry {
  const { log_index: index, identity, entry, content, map_root: mapRoot } = row;
  return { index, identity, entry, content, mapRoot };
}

/**
 * The row of a node of the map. A node is two hashes, a leaf an identity's hash, a number and a
 * hash: one row holds either.
 */
export function mapRow({ hash, node }: { hash: Uint8Array; node: MapNode }): Schema['log_map'] {
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

/** A node of the map out of its row. */
export function storedNode(row: Schema['log_map']): StoredNode {
  return { left: row.left_part, right: row.right_part, count: row.count };
}

/** A node of the map out of what is stored of it, or null when that is none. */
export function mapNodeOf({ count, ...parts }: StoredNode): MapNode | null {
  const [left, right] = [base64url.decode(parts.left), base64url.decode(parts.right)];
  if (!left || !right) return null;
  return count === null ? { left, right } : { identityHash: left, history: right, count };
}
