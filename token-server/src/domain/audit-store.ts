import type { Bytes, MapNode, TreeNode } from 'twilio-chat-encryption/protocol';
import type { CardRecord } from './card-record.ts';

/**
 * What it takes to look through everything that is stored, a part at a time. Nothing here is taken
 * from a cache, and what is missing or unreadable is null.
 */
export interface AuditReader {
  /** How much there is of each, at one moment. */
  counts(): Promise<StoredCounts>;
  /** How many cards there are, live or not. */
  countCards(): Promise<number>;
  /**
   * Identities that have cards or entries of the log, in the order of their bytes.
   *
   * @param after - the last one of the part before, or empty
   * @param limit - how many at most
   */
  identities(after: string, limit: number): Promise<readonly string[]>;
  /** All cards of these identities, live or not, in the order they were approved. */
  cardsOf(identities: readonly string[]): Promise<CardRecord[]>;
  /** The hashes of these subtrees. */
  treeNodes(nodes: readonly TreeNode[]): Promise<readonly (Bytes | null)[]>;
  /** The nodes of the map that are stored under these hashes. */
  mapNodes(hashes: readonly Bytes[]): Promise<readonly (MapNode | null)[]>;
}

/** How much is stored. */
export interface StoredCounts {
  /** Entries of the log. */
  readonly entries: number;
  /** Nodes of its tree. */
  readonly tree: number;
  /** Nodes of its map. */
  readonly map: number;
}
