/**
 * The log's Merkle tree, as RFC 6962 and RFC 9162 §2.1 define it: what is proven about it. Verified
 * against the vectors of the transparency-dev project.
 */
import { concat, equal, sha256, type Bytes } from '../primitives.ts';

// RFC 9162 §2.1.1: no leaf hashes like a node. Labels begin with a letter, so none collides.
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Most hashes of a proof that can be right: sizes are below 2^53. */
export const MAX_TREE_PROOF = 54;

/** The root of a tree without leaves: the hash of nothing, 32 bytes. */
export const EMPTY_TREE_ROOT: Bytes = sha256(new Uint8Array());

/** The hash of a leaf, 32 bytes. */
export function hashLeaf(leaf: Uint8Array): Bytes {
  return sha256(concat(LEAF, leaf));
}

/** The hash of a node over its two children, 32 bytes. */
export function hashNode(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(concat(NODE, left, right));
}

/**
 * Whether `proof` shows that the leaf of this hash is number `index` of the tree (RFC 9162
 * §2.1.3.2).
 * @param index from 0
 * @param size how many leaves the tree has
 */
export function verifyInclusion(
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if (proof.length > MAX_TREE_PROOF || !areHashes([leafHash, root, ...proof])) return false;
  let node = BigInt(index);
  let last = BigInt(size) - 1n;
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0n) return false;
    if (isOdd(node) || node === last) {
      hash = hashNode(sibling, hash);
      // A node without a right sibling is its own parent, up to where it is a right child.
      while (!isOdd(node) && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = hashNode(hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n && equal(hash, root);
}

/**
 * Whether `proof` shows that the smaller tree is the beginning of the greater one (RFC 9162
 * §2.1.4.2). The empty tree is the beginning of each.
 */
export function verifyConsistency(
  from: { readonly size: number; readonly root: Uint8Array },
  to: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(from.size) || !isSize(to.size) || from.size > to.size) return false;
  if (proof.length > MAX_TREE_PROOF || !areHashes([from.root, to.root, ...proof])) {
    return false;
  }
  if (from.size === to.size) return proof.length === 0 && equal(from.root, to.root);
  if (from.size === 0) return proof.length === 0 && equal(from.root, EMPTY_TREE_ROOT);
  // Of a complete tree the proof leaves its root out.
  const path = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof;
  let node = BigInt(from.size) - 1n;
  let last = BigInt(to.size) - 1n;
  while (isOdd(node)) [node, last] = [node >> 1n, last >> 1n];
  const [first, ...others] = path;
  if (!first) return false;
  let [old, grown] = [first, first];
  for (const sibling of others) {
    if (last === 0n) return false;
    if (isOdd(node) || node === last) {
      [old, grown] = [hashNode(sibling, old), hashNode(sibling, grown)];
      while (!isOdd(node) && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      grown = hashNode(grown, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n && equal(old, from.root) && equal(grown, to.root);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every(({ length }) => length === 32);
}

// Shifts of numbers are of 32 bits; sizes are of 53.
function isOdd(value: bigint): boolean {
  return (value & 1n) === 1n;
}

function isPowerOfTwo(size: number): boolean {
  const value = BigInt(size);
  return (value & (value - 1n)) === 0n;
}
