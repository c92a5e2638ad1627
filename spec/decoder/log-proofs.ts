/** The log's map and tree, as their definitions say: log.md, "Map" and "Tree". */
import { L, Refused, sha256, uint } from './bytes.ts';

/** A leaf of the map, of which each part has its size. */
export interface MapLeaf {
  readonly identityHash: Buffer;
  readonly count: number;
  readonly history: Buffer;
}

/** What a proof of the map brings. */
export interface MapProof {
  readonly siblings: readonly Buffer[];
  readonly other: MapLeaf | null;
}

export const NOTHING = Buffer.alloc(32);

function check(condition: boolean): asserts condition {
  if (!condition) throw new Refused('LOG_INVALID');
}

const areHashes = (hashes: readonly Buffer[]): boolean =>
  hashes.every(({ length }) => length === 32);

/** Refuses unless the map under `root` has this leaf of the identity, or nothing. */
export function checkMap(
  root: Buffer,
  identityHash: Buffer,
  leaf: Omit<MapLeaf, 'identityHash'> | null,
  { siblings, other }: MapProof,
): void {
  check(siblings.length <= 256 && areHashes([root, identityHash, ...siblings]));
  check(leaf === null || other === null);
  const path = bits(identityHash);
  const otherPath = other && bits(other.identityHash);
  const depth = siblings.length;
  check(otherPath !== path && (otherPath?.startsWith(path.slice(0, depth)) ?? true));
  const end = leaf ? { ...leaf, identityHash } : other;
  const rootOf = (at: number): Buffer => {
    const sibling = siblings[at];
    if (!sibling) return end ? mapLeafHash(end) : NOTHING;
    const children = path[at] === '0' ? [rootOf(at + 1), sibling] : [sibling, rootOf(at + 1)];
    return sha256(L('map-node'), uint(at, 1), ...children);
  };
  check(rootOf(0).equals(root));
}

function mapLeafHash({ identityHash, count, history }: MapLeaf): Buffer {
  check(areHashes([identityHash, history]));
  check(Number.isInteger(count) && count >= 1 && count < 2 ** 32);
  return sha256(L('map-leaf'), identityHash, uint(count, 4), history);
}

function bits(bytes: Buffer): string {
  return Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
}

const join = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.from([1]), left, right);

/** The greatest power of two below a number. */
function halfOf(size: number): number {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Refuses unless the leaf is number `index` of the tree with `size` leaves and this root. */
export function checkInclusion(
  leaf: Buffer,
  { index, size, root }: { readonly index: number; readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): void {
  check(isCount(index) && isCount(size) && index < size && areHashes([root, ...proof]));
  const left = [...proof];
  // RFC 9162 §2.1.3.1 read backwards: the last hash is the nearest to the root.
  const rootOf = (at: number, leaves: number): Buffer => {
    if (leaves === 1) return sha256(Buffer.from([0]), leaf);
    const half = halfOf(leaves);
    const sibling = left.pop();
    check(sibling !== undefined);
    return at < half
      ? join(rootOf(at, half), sibling)
      : join(sibling, rootOf(at - half, leaves - half));
  };
  check(rootOf(index, size).equals(root) && left.length === 0);
}

/** A tree by its size and root. */
export interface Tree {
  readonly size: number;
  readonly root: Buffer;
}

/** Refuses unless the tree `from` is the beginning of the tree `to`. */
export function checkConsistency(from: Tree, to: Tree, proof: readonly Buffer[]): void {
  check(isCount(from.size) && isCount(to.size) && from.size <= to.size);
  check(areHashes([from.root, to.root, ...proof]));
  const left = [...proof];
  // RFC 9162 §2.1.4.1 read backwards. `whole`: this subtree is all of the smaller tree.
  const rootsOf = (smaller: number, size: number, whole: boolean): readonly [Buffer, Buffer] => {
    if (smaller === size && whole) return [from.root, from.root];
    const last = left.pop();
    check(last !== undefined);
    if (smaller === size) return [last, last];
    const half = halfOf(size);
    if (smaller <= half) {
      const [old, grown] = rootsOf(smaller, half, whole);
      return [old, join(grown, last)];
    }
    const [old, grown] = rootsOf(smaller - half, size - half, false);
    return [join(last, old), join(last, grown)];
  };
  if (from.size === 0) {
    check(from.root.equals(sha256()) && (to.size > 0 || to.root.equals(sha256())));
  } else {
    const [old, grown] = rootsOf(from.size, to.size, true);
    check(old.equals(from.root) && grown.equals(to.root));
  }
  check(left.length === 0);
}
