/**
 * The map of the log: from an identity to its whole history, under one root. A sparse Merkle tree
 * over the bits of the identity's hash in which a subtree with one leaf is that leaf (as "Jellyfish
 * Merkle Tree", Gao and others, 2021): a proof has about as many hashes as the number of identities
 * has bits.
 */
import { uint } from '../bytes.ts';
import { equal, hash, type Bytes } from '../primitives.ts';

/** What the map says of one identity. */
export interface MapLeaf {
  /** 32 bytes, see `identityHash`. */
  readonly identityHash: Bytes;
  /** How many entries of the log are about it. */
  readonly count: number;
  /** The hash of them all, 32 bytes. */
  readonly history: Bytes;
}

/** Shows what the map says of an identity. */
export interface MapProof {
  /** The hash beside each node of the path, from the root down: at most 256. */
  readonly siblings: readonly Bytes[];
  /** The leaf of another identity in whose place this one would be; null when there is none. */
  readonly other: MapLeaf | null;
}

/** Stands where nothing is; the root of an empty map. */
export const EMPTY_MAP: Bytes = new Uint8Array(32);

/** How many bits an identity's hash has. */
export const MAP_DEPTH = 256;

/** The hash of a leaf, 32 bytes. */
export function hashMapLeaf({ identityHash, count, history }: MapLeaf): Bytes {
  return hash('map-leaf', identityHash, uint(count, 4), history);
}

/** The hash of the node whose children differ in bit `depth`, 32 bytes. */
export function hashMapNode(depth: number, left: Uint8Array, right: Uint8Array): Bytes {
  return hash('map-node', uint(depth, 1), left, right);
}

/** Bit `depth` of a hash, the first being the most significant: 0 goes left, 1 right. */
export function mapBit(identityHash: Uint8Array, depth: number): 0 | 1 {
  const byte = identityHash[depth >> 3] ?? 0;
  return (byte >> (7 - (depth & 7))) & 1 ? 1 : 0;
}

/**
 * Whether `proof` shows that under `root` the map has this leaf, or nothing of its identity.
 *
 * There is one place on the path of an identity where a root's tree ends, and a leaf holds its whole
 * identity: nobody can show two leaves of one identity, or a leaf and its absence, under one root.
 * @param history null when the identity has none
 */
export function verifyMapProof(
  root: Uint8Array,
  identityHash: Bytes,
  history: Omit<MapLeaf, 'identityHash'> | null,
  { siblings, other }: MapProof,
): boolean {
  const hashes = [identityHash, ...siblings];
  if (siblings.length > MAP_DEPTH || hashes.some(({ length }) => length !== 32)) return false;
  const end = endOf(identityHash, history, other, siblings.length);
  if (!end) return false;
  const top = siblings.reduceRight<Bytes>(
    (child, sibling, depth) =>
      mapBit(identityHash, depth) === 0
        ? hashMapNode(depth, child, sibling)
        : hashMapNode(depth, sibling, child),
    end,
  );
  return equal(top, root);
}

/** What stands at the end of the identity's path, or null when the proof cannot be right. */
function endOf(
  identityHash: Bytes,
  history: Omit<MapLeaf, 'identityHash'> | null,
  other: MapLeaf | null,
  depth: number,
): Bytes | null {
  const leaf = history ? { ...history, identityHash } : other;
  if (!leaf) return EMPTY_MAP;
  if (!isMapLeaf(leaf)) return null;
  if (history) return other ? null : hashMapLeaf(leaf);
  const isOnPath = sharedBits(identityHash, leaf.identityHash) >= depth;
  const isOther = !equal(identityHash, leaf.identityHash);
  return isOnPath && isOther ? hashMapLeaf(leaf) : null;
}

/**
 * Whether the parts of a leaf have their sizes. No length is hashed with them, so that parts cut at
 * other places would be the same leaf: an identity's own one as that of another.
 */
function isMapLeaf({ identityHash, count, history }: MapLeaf): boolean {
  const isCount = Number.isInteger(count) && count >= 1 && count < 2 ** 32;
  return isCount && identityHash.length === 32 && history.length === 32;
}

/** With how many equal bits two hashes begin. */
export function sharedBits(one: Uint8Array, other: Uint8Array): number {
  let depth = 0;
  while (depth < MAP_DEPTH && mapBit(one, depth) === mapBit(other, depth)) depth += 1;
  return depth;
}
