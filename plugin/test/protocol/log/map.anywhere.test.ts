/** The log's map: one answer for each identity under each root, and a proof of it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  base64url,
  EMPTY_MAP,
  findInMap,
  putIntoMap,
  verifyMapProof,
  type Bytes,
  type MapLeaf,
  type MapNode,
  type ReadMap,
} from 'twilio-chat-encryption/protocol';

/** A map that keeps every node it ever had. */
class KeptMap {
  root: Bytes = EMPTY_MAP;
  readonly nodes = new Map<string, MapNode>();
  reads = 0;

  readonly read: ReadMap = (hashes) => {
    this.reads += 1;
    return Promise.resolve(
      hashes.map((hash) => {
        const node = this.nodes.get(base64url.encode(hash));
        if (!node) throw new Error('There is no such node.');
        return node;
      }),
    );
  };

  async put(leaf: MapLeaf): Promise<number> {
    const { root, added } = await putIntoMap(this.read, this.root, leaf);
    for (const { hash, node } of added) this.nodes.set(base64url.encode(hash), node);
    this.root = root;
    return added.length;
  }
}

// Few different bits in the first byte, so that long common beginnings happen.
const hashes = fc
  .tuple(fc.constantFrom(0, 1, 128), fc.uint8Array({ minLength: 31, maxLength: 31 }))
  .map(([first, rest]) => Uint8Array.of(first, ...rest));
const leaves = fc.record({
  identityHash: hashes,
  count: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  history: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes)),
});

const sameLeaf = (one: MapLeaf, other: MapLeaf): boolean =>
  base64url.encode(one.identityHash) === base64url.encode(other.identityHash);

describe('a map', () => {
  test('shows what was put last under each identity, at each root that it had', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(leaves, { maxLength: 20 }), hashes, async (puts, absent) => {
        const map = new KeptMap();
        const roots = [map.root];
        for (const leaf of puts) {
          await map.put(leaf);
          roots.push(map.root);
        }
        const asked = [...puts.map(({ identityHash }) => identityHash), absent];
        for (const [count, root] of roots.entries()) {
          const found = await findInMap(map.read, root, asked);
          for (const [index, key] of asked.entries()) {
            const expected = puts
              .slice(0, count)
              .findLast((leaf) => base64url.encode(leaf.identityHash) === base64url.encode(key));
            expect(found[index]?.leaf ?? undefined).toEqual(expected);
            const proof = found[index]?.proof ?? { siblings: [], other: null };
            expect(verifyMapProof(root, key, expected ?? null, proof)).toBe(true);
            expect(verifyMapProof(root, key, expected ? null : lie(key), proof)).toBe(false);
            const more = expected && { ...expected, count: (expected.count % 2 ** 31) + 1 };
            if (more) expect(verifyMapProof(root, key, more, proof)).toBe(false);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('has the same root whatever the order in which its identities came', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(leaves, { comparator: sameLeaf }), async (puts) => {
        const [one, other] = [new KeptMap(), new KeptMap()];
        for (const leaf of puts) await one.put(leaf);
        for (const leaf of puts.toReversed()) await other.put(leaf);
        expect(one.root).toEqual(other.root);
      }),
    );
  });

  test('grows and is read by the logarithm of its size', async () => {
    const map = new KeptMap();
    let added = 0;
    for (let index = 0; index < 1000; index += 1) {
      const identityHash = crypto.getRandomValues(new Uint8Array(32));
      added = await map.put({ identityHash, count: 1, history: EMPTY_MAP });
    }
    expect(added).toBeLessThan(40);
    map.reads = 0;
    const many = Array.from({ length: 500 }, () => crypto.getRandomValues(new Uint8Array(32)));
    await findInMap(map.read, map.root, many);
    // Not 500 times as often: each level is read at once.
    expect(map.reads).toBeLessThan(40);
  });

  test('cannot show an identity in the place of another', async () => {
    const map = new KeptMap();
    const first = { identityHash: new Uint8Array(32).fill(1), count: 1, history: EMPTY_MAP };
    await map.put(first);
    const [found] = await findInMap(map.read, map.root, [first.identityHash]);
    const proof = found?.proof ?? { siblings: [], other: null };
    const other = new Uint8Array(32).fill(2);
    expect(verifyMapProof(map.root, other, first, proof)).toBe(false);
    // The leaf is no proof that its own identity is absent.
    expect(verifyMapProof(map.root, first.identityHash, null, { ...proof, other: first })).toBe(
      false,
    );
    // Nor is one that is not on the identity's path.
    await map.put({ ...first, identityHash: new Uint8Array(32).fill(255) });
    const [left] = await findInMap(map.read, map.root, [first.identityHash]);
    const siblings = left?.proof.siblings ?? [];
    const right = new Uint8Array(32).fill(254);
    expect(verifyMapProof(map.root, right, null, { siblings, other: first })).toBe(false);
  });

  test('cannot show the leaf of an identity as that of another, cut at another place', async () => {
    const map = new KeptMap();
    const own = { identityHash: new Uint8Array(32).fill(1), count: 0x01010101, history: EMPTY_MAP };
    await map.put(own);
    const [found] = await findInMap(map.read, map.root, [own.identityHash]);
    const siblings = found?.proof.siblings ?? [];
    // The same 68 bytes: the hash, the count and the history are one after another.
    const shifted = { ...own, identityHash: new Uint8Array(36).fill(1), count: 0 };
    const history = EMPTY_MAP.slice(4);
    for (const other of [
      { ...shifted, history },
      { ...own, identityHash: new Uint8Array(31).fill(1) },
      { ...own, identityHash: new Uint8Array(32).fill(2), history: new Uint8Array(33) },
      { ...own, identityHash: new Uint8Array(32).fill(2), count: 2 ** 32 },
      { ...own, identityHash: new Uint8Array(32).fill(2), count: 0.5 },
    ]) {
      expect(verifyMapProof(map.root, own.identityHash, null, { siblings, other })).toBe(false);
    }
    const proof = { siblings, other: null };
    expect(verifyMapProof(map.root, own.identityHash.slice(1), own, proof)).toBe(false);
    expect(verifyMapProof(map.root, own.identityHash, { ...own, count: 0 }, proof)).toBe(false);
  });
});

function lie(identityHash: Bytes): MapLeaf {
  return { identityHash, count: 1, history: EMPTY_MAP };
}
