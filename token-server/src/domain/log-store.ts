import type { ReadMap, ReadTree, MapNode, TreeNode } from 'twilio-chat-encryption/protocol';

/** What the log needs of a database to be read. What it holds changes only when it begins again. */
export interface LogReader {
  /** How many entries there are. */
  size(): Promise<number>;
  /** The last entry, or null when there is none. */
  last(): Promise<StoredEntry | null>;
  /** One entry, or null when the log is shorter. */
  entry(index: number): Promise<StoredEntry | null>;
  /** The entries from `start` up to and without `end`, in their order. */
  range(start: number, end: number): Promise<StoredEntry[]>;
  /** The number of the entry of an identity that has this content, or null. */
  indexOf(identity: string, content: string): Promise<number | null>;
  /** The entries about these identities among the first `size`, in their order. */
  entriesOf(identities: readonly string[], size: number): Promise<StoredEntry[]>;
  /** How many characters the contents of these entries have together. */
  measure(identities: readonly string[], size: number): Promise<number>;
  readonly readTree: ReadTree;
  readonly readMap: ReadMap;
  /** The nodes of the map with these hashes, in their order, as they are stored. */
  readonly readNodes: ReadNodes;
}

/** Gives the nodes of the map with these hashes, in base64url, in their order. All of them were added before. */
export type ReadNodes = (hashes: readonly string[]) => Promise<readonly StoredNode[]>;

/** A node of the map as it is stored, in base64url: two children or, with a count, a leaf. */
export interface StoredNode {
  /** The hash of its left child, or the identity's. */
  readonly left: string;
  /** The hash of its right child, or that of the identity's history. */
  readonly right: string;
  readonly count: number | null;
}

/** What the log needs to grow, within a transaction. */
export interface LogWriter extends LogReader {
  /** Adds an entry, and the nodes of the tree and of the map that come with it. */
  add(
    entry: StoredEntry,
    tree: readonly (TreeNode & { readonly hash: Uint8Array })[],
    map: readonly { readonly hash: Uint8Array; readonly node: MapNode }[],
  ): Promise<void>;
  /**
   * Empties the log, with all nodes, to be begun again under another key, and gives what was in it, in its
   * order. The next entry to be added is number 0, while there is more to be given.
   */
  restart(): AsyncIterable<StoredEntry>;
}

/** An entry of the log as it is stored; bytes are in base64url. */
export interface StoredEntry {
  readonly index: number;
  readonly identity: string;
  /** 105 bytes. */
  readonly entry: string;
  /** The approved card or the revocation, exported. */
  readonly content: string;
  /** The root of the map after this entry, 32 bytes. */
  readonly mapRoot: string;
}
