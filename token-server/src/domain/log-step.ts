import {
  appendLeaf,
  decodeEntry,
  EMPTY_HISTORY,
  encodeLeaf,
  extendHistory,
  findInMap,
  putIntoMap,
  type Bytes,
  type MapNode,
  type ReadMap,
  type ReadTree,
  type TreeNode,
} from 'twilio-chat-encryption/protocol';

/** Where a log is before its next entry. */
export interface LogPosition {
  /** How many entries it has: the number of the next one. */
  readonly size: number;
  /** The root of its map, 32 bytes. */
  readonly mapRoot: Bytes;
  readonly readTree: ReadTree;
  readonly readMap: ReadMap;
}

/** What an entry changes. */
export interface LogStep {
  /** The root of the map with this entry in it, 32 bytes. */
  readonly mapRoot: Bytes;
  /** How many entries its identity has now. */
  readonly count: number;
  /** Subtrees that its leaf completes. */
  readonly tree: readonly (TreeNode & { readonly hash: Bytes })[];
  /** Nodes of the map, by their hashes. */
  readonly map: readonly { readonly hash: Bytes; readonly node: MapNode }[];
}

/** Computes what an entry changes, to store it or to compare it with what is stored. */
export async function takeStep(position: LogPosition, entry: Bytes): Promise<LogStep> {
  const { size, mapRoot, readTree, readMap } = position;
  const decoded = decodeEntry(entry);
  if (!decoded) throw new RangeError('This is no entry of a log.');
  const { identityHash } = decoded;
  const [found] = await findInMap(readMap, mapRoot, [identityHash]);
  const { count, history } = found?.leaf ?? { count: 0, history: EMPTY_HISTORY };
  const leaf = { identityHash, count: count + 1, history: extendHistory(history, entry) };
  const map = await putIntoMap(readMap, mapRoot, leaf);
  const tree = await appendLeaf(readTree, size, encodeLeaf(entry, map.root));
  return { mapRoot: map.root, count: leaf.count, tree, map: map.added };
}
