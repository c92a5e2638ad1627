/**
 * The log's Merkle tree as its keeper has it: the hashes of its complete subtrees, of which an
 * append adds two on average and a proof reads a number that grows with the logarithm.
 */
import type { Bytes } from '../primitives.ts';
import { EMPTY_TREE_ROOT, hashLeaf, hashNode } from './tree.ts';

/** A complete subtree: over the leaves from `index * 2 ** level`, `2 ** level` of them. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** Gives the hashes of these subtrees, in their order. All of them were added before. */
export type ReadTree = (nodes: readonly TreeNode[]) => Promise<readonly Bytes[]>;

/** What is to be kept of a new leaf, the number `index`: each subtree that it completes. */
export async function appendLeaf(
  read: ReadTree,
  index: number,
  leaf: Uint8Array,
): Promise<readonly (TreeNode & { readonly hash: Bytes })[]> {
  const completed: (TreeNode & { readonly hash: Bytes })[] = [];
  let node = { level: 0, index, hash: hashLeaf(leaf) };
  completed.push(node);
  const lefts = await read(leftSiblings(index));
  for (const left of lefts) {
    node = {
      level: node.level + 1,
      index: Math.floor(node.index / 2),
      hash: hashNode(left, node.hash),
    };
    completed.push(node);
  }
  return completed;
}

/** The root of the tree when it had `size` leaves. */
export async function treeRoot(read: ReadTree, size: number): Promise<Bytes> {
  if (size === 0) return EMPTY_TREE_ROOT;
  const [root] = await hashRanges(read, [[0, size]]);
  return required(root);
}

/** Shows that leaf `index` is in the tree of `size` leaves (RFC 9162 §2.1.3.1). */
export async function inclusionProof(
  read: ReadTree,
  index: number,
  size: number,
): Promise<readonly Bytes[]> {
  checkBounds(index + 1, size);
  return hashRanges(read, inclusionRanges(index, 0, size));
}

/** Shows that the tree of `from` leaves is the beginning of that of `to` (RFC 9162 §2.1.4.1). */
export async function consistencyProof(
  read: ReadTree,
  from: number,
  to: number,
): Promise<readonly Bytes[]> {
  checkBounds(from, to);
  if (from === 0 || from === to) return [];
  return hashRanges(read, consistencyRanges(from, 0, to, true));
}

/** The leaves from the first number up to and without the second. */
type Range = readonly [start: number, end: number];

function inclusionRanges(index: number, start: number, end: number): Range[] {
  if (end - start === 1) return [];
  const middle = start + largestPower(end - start);
  return index < middle
    ? [...inclusionRanges(index, start, middle), [middle, end]]
    : [...inclusionRanges(index, middle, end), [start, middle]];
}

function consistencyRanges(from: number, start: number, end: number, isWhole: boolean): Range[] {
  if (from === end) return isWhole ? [] : [[start, end]];
  const middle = start + largestPower(end - start);
  return from <= middle
    ? [...consistencyRanges(from, start, middle, isWhole), [middle, end]]
    : [...consistencyRanges(from, middle, end, false), [start, middle]];
}

/** The hash of the tree over each range, all read at once. */
async function hashRanges(read: ReadTree, ranges: readonly Range[]): Promise<readonly Bytes[]> {
  const parts = ranges.map(completeSubtrees);
  const hashes = [...(await read(parts.flat()))];
  return parts.map(({ length }) => {
    const [last, ...before] = hashes.splice(0, length).reverse();
    return before.reduce((right, left) => hashNode(left, right), required(last));
  });
}

/** The largest complete subtrees that make up a range which begins at a multiple of its size. */
function completeSubtrees([start, end]: Range): TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let at = start; at < end;) {
    const size = largestPower(end - at + 1);
    nodes.push({ level: Math.log2(size), index: at / size });
    at += size;
  }
  return nodes;
}

/** The left siblings of the subtrees that the leaf `index` completes, from the leaf up. */
function leftSiblings(index: number): TreeNode[] {
  const nodes: TreeNode[] = [];
  let at = index;
  for (let level = 0; at % 2 === 1; level += 1) {
    nodes.push({ level, index: at - 1 });
    at = Math.floor(at / 2);
  }
  return nodes;
}

/** The largest power of two below `size`. */
function largestPower(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function checkBounds(smaller: number, size: number): void {
  if (!Number.isSafeInteger(smaller) || smaller < 0 || smaller > size) {
    throw new RangeError('The tree is not that large.');
  }
}

function required(hash: Bytes | undefined): Bytes {
  if (!hash) throw new RangeError('A hash of the tree is missing.');
  return hash;
}
