/** The log's tree: everything that is true can be proven, and nothing else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendLeaf,
  consistencyProof,
  EMPTY_TREE_ROOT,
  hashLeaf,
  inclusionProof,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
  type Bytes,
  type ReadTree,
} from 'twilio-chat-encryption/protocol';
import { hashNode } from '../../../src/protocol/log/tree.ts';
import { uint } from '../../../src/protocol/bytes.ts';

const MOST = 70;
const leafOf = (index: number): Bytes => uint(index, 4);

/** A tree that kept what its appends completed. */
async function grown(size: number): Promise<ReadTree> {
  const nodes = new Map<string, Bytes>();
  const read: ReadTree = (wanted) =>
    Promise.resolve(
      wanted.map(({ level, index }) => {
        const hash = nodes.get(`${level}/${index}`);
        if (!hash) throw new Error(`There is no node ${level}/${index}.`);
        return hash;
      }),
    );
  for (let index = 0; index < size; index += 1) {
    for (const { level, index: at, hash } of await appendLeaf(read, index, leafOf(index))) {
      nodes.set(`${level}/${at}`, hash);
    }
  }
  return read;
}

/** The root as RFC 9162 §2.1.1 defines it. */
function rootOf(start: number, end: number): Bytes {
  if (end === start) return EMPTY_TREE_ROOT;
  if (end - start === 1) return hashLeaf(leafOf(start));
  let split = 1;
  while (split * 2 < end - start) split *= 2;
  return hashNode(rootOf(start, start + split), rootOf(start + split, end));
}

const read = await grown(MOST);
const sizes = fc.integer({ min: 1, max: MOST });

describe('a tree', () => {
  test('has the root that the RFC defines, at each size that it had', async () => {
    for (let size = 0; size <= MOST; size += 1) {
      expect(await treeRoot(read, size)).toEqual(rootOf(0, size));
    }
  });

  test('proves each leaf at each size, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, one, two) => {
        const [index, other] = [one % size, two % size];
        const proof = await inclusionProof(read, index, size);
        const root = rootOf(0, size);
        expect(verifyInclusion(hashLeaf(leafOf(index)), index, size, proof, root)).toBe(true);
        const isOther = verifyInclusion(hashLeaf(leafOf(other)), index, size, proof, root);
        expect(isOther).toBe(other === index);
        const isThere = verifyInclusion(hashLeaf(leafOf(index)), other, size, proof, root);
        expect(isThere).toBe(other === index);
      }),
    );
  });

  test('proves that it grew out of each earlier one, and out of no other', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, one, two) => {
        const [from, other] = [one % (size + 1), 1 + (two % size)];
        const proof = await consistencyProof(read, from, size);
        const to = { size, root: rootOf(0, size) };
        expect(verifyConsistency({ size: from, root: rootOf(0, from) }, to, proof)).toBe(true);
        const isOther = verifyConsistency({ size: other, root: rootOf(0, other) }, to, proof);
        // The empty proof is about the empty tree, and about the same one.
        expect(isOther).toBe(other === from || (from === 0 && other === size));
        const forged = { size: from, root: hashNode(rootOf(0, from), rootOf(0, from)) };
        expect(verifyConsistency(forged, to, proof)).toBe(false);
      }),
    );
  });

  test('does not accept a proof with a hash too many, too few, or changed', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, one, at) => {
        const index = one % size;
        const proof = await inclusionProof(read, index, size);
        const root = rootOf(0, size);
        const isProven = (changed: readonly Uint8Array[]): boolean =>
          verifyInclusion(hashLeaf(leafOf(index)), index, size, changed, root);
        expect(isProven([...proof, root])).toBe(false);
        if (proof.length === 0) return;
        expect(isProven(proof.slice(1))).toBe(false);
        const place = at % proof.length;
        expect(
          isProven(proof.map((hash, n) => (n === place ? hash.map((b) => b ^ 1) : hash))),
        ).toBe(false);
      }),
    );
  });

  test('keeps two hashes a leaf, and reads a logarithm of them for a proof', async () => {
    const counts: number[] = [];
    const counted: ReadTree = (nodes) => {
      counts.push(nodes.length);
      return read(nodes);
    };
    await inclusionProof(counted, 0, MOST);
    await consistencyProof(counted, 33, MOST);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2 * Math.log2(MOST));
  });

  test('has no proofs about what it was not yet', async () => {
    await expect(inclusionProof(read, 5, 5)).rejects.toThrow(RangeError);
    await expect(consistencyProof(read, 6, 5)).rejects.toThrow(RangeError);
  });

  test('of more leaves than a number of 32 bits counts is walked rightly', () => {
    // A proof for leaf 2^40 of a tree with one leaf more has the root of the first 2^40 alone.
    const first = hashLeaf(leafOf(1));
    const last = hashLeaf(leafOf(2));
    const size = 2 ** 40 + 1;
    expect(verifyInclusion(last, 2 ** 40, size, [first], hashNode(first, last))).toBe(true);
    expect(verifyInclusion(last, 2 ** 40 - 1, size, [first], hashNode(first, last))).toBe(false);
  });
});
