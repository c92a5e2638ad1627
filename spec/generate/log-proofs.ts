/** Vectors of proofs about the log's map and its tree. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  appendLeaf,
  consistencyProof,
  EMPTY_MAP,
  EMPTY_TREE_ROOT,
  findInMap,
  hashLeaf,
  inclusionProof,
  putIntoMap,
  treeRoot,
  type Bytes,
  type MapLeaf,
  type MapNode,
  type ReadMap,
  type ReadTree,
} from 'twilio-chat-encryption/protocol';
import type { LogMapCase, LogTreeCase, MapLeafVector, VectorFile } from '../vector-files.ts';
import { flipped, L, uint } from './craft.ts';
import { bytesOf } from './source.ts';

/** A map of these leaves. */
interface BuiltMap {
  readonly root: Bytes;
  readonly read: ReadMap;
}

async function mapOf(leaves: readonly MapLeaf[]): Promise<BuiltMap> {
  const nodes = new Map<string, MapNode>();
  const read: ReadMap = (hashes) =>
    Promise.resolve(hashes.map((hash) => known(nodes.get(bytesToHex(hash)))));
  let root = EMPTY_MAP;
  for (const leaf of leaves) {
    const changed = await putIntoMap(read, root, leaf);
    for (const { hash, node } of changed.added) nodes.set(bytesToHex(hash), node);
    root = changed.root;
  }
  return { root, read };
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('This was not added.');
  return value;
}

const leafVector = ({ identityHash, count, history }: MapLeaf): MapLeafVector => ({
  identityHash: bytesToHex(identityHash),
  count,
  history: bytesToHex(history),
});

/** 32 bytes that begin with these bits and go on as the name says. */
function hashFrom(bits: string, name: string): Bytes {
  const own = bytesOf(`map/${name}`);
  const digits = Array.from(own, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const all = `${bits}${digits.slice(bits.length)}`.match(/.{8}/g) ?? [];
  return Uint8Array.from(all, (byte) => parseInt(byte, 2));
}

const leafAt = (bits: string, name: string, count = 1): MapLeaf => ({
  identityHash: hashFrom(bits, name),
  count,
  history: bytesOf(`map/${name}/history`),
});

async function mapCase(
  name: string,
  { root, read }: BuiltMap,
  identityHash: Bytes,
): Promise<LogMapCase> {
  const [found] = await findInMap(read, root, [identityHash]);
  const { leaf, proof } = known(found);
  return {
    name,
    result: 'ok',
    root: bytesToHex(root),
    identityHash: bytesToHex(identityHash),
    leaf: leaf && { count: leaf.count, history: bytesToHex(leaf.history) },
    siblings: proof.siblings.map((hash) => bytesToHex(hash)),
    other: proof.other && leafVector(proof.other),
  };
}

/** `log-map.json`. */
export async function logMapVectors(): Promise<VectorFile<LogMapCase>> {
  const [a, b, c, d] = [
    leafAt('000', 'a'),
    leafAt('0010', 'b', 2),
    leafAt('0011', 'c', 2 ** 32 - 1),
    leafAt('1', 'd', 7),
  ];
  const four = await mapOf([a, b, c, d]);
  const one = await mapOf([a]);
  const two = await mapOf([leafAt('0000', 'e'), leafAt('0001', 'f')]);
  const last = leafAt('0'.repeat(255).concat('1'), 'last');
  const deep = await mapOf([leafAt('0'.repeat(256), 'first'), last]);
  const long = leafAt('0'.repeat(20).concat('1'), 'long');
  const sharing = await mapOf([leafAt('0'.repeat(21), 'other'), long]);
  const empty = await mapOf([]);
  const absentAt = (bits: string): Bytes => hashFrom(bits, 'nobody');

  const ofA = await mapCase('an identity of four', four, a.identityHash);
  const ofC = await mapCase('one deeper down', four, c.identityHash);
  const byOther = await mapCase(
    'an identity in whose place another one is',
    four,
    absentAt('0011'),
  );
  const byNothing = await mapCase('an identity in whose place nothing is', two, absentAt('01'));
  const inEmpty = await mapCase('any identity, of the empty map', empty, a.identityHash);
  const inOne = await mapCase('the only identity', one, a.identityHash);
  const ofDeep = await mapCase(
    'an identity that differs from another in the last bit only',
    deep,
    last.identityHash,
  );
  const ofLong = await mapCase('an identity behind 20 equal bits', sharing, long.identityHash);
  const absentLong = await mapCase(
    'an identity that leaves the path of others early',
    sharing,
    absentAt('0001'),
  );
  const [first = '', ...rest] = ofC.siblings;
  const zero = bytesToHex(EMPTY_MAP);
  const bad = (name: string, from: LogMapCase, changes: Partial<LogMapCase>): LogMapCase => ({
    ...from,
    name,
    result: 'LOG_INVALID',
    ...changes,
  });
  const leafOf = ({ leaf }: LogMapCase): NonNullable<LogMapCase['leaf']> => leaf ?? never();
  const otherOf = ({ other }: LogMapCase): MapLeafVector => other ?? never();
  const otherRoot = (await mapOf([a, b, c])).root;
  const node = (depth: number, left: Uint8Array, right: Uint8Array): string =>
    bytesToHex(sha256(concatBytes(L('map-node'), uint(depth, 1), left, right)));
  const leafHash = ({ identityHash, count, history }: MapLeaf, label = 'map-leaf'): Uint8Array =>
    sha256(concatBytes(L(label), identityHash, uint(count, 4), history));
  const dHash = leafHash(d);
  return {
    description:
      'What the map under a root has of an identity: a leaf, or null for nothing; and the proof, its siblings from the root down.',
    page: 'log.md',
    cases: [
      ofA,
      await mapCase('another one of them', four, b.identityHash),
      ofC,
      await mapCase('one right below the root', four, d.identityHash),
      inOne,
      ofLong,
      ofDeep,
      byOther,
      byNothing,
      inEmpty,
      await mapCase('an identity of a map with one other', one, absentAt('1')),
      absentLong,
      await mapCase('an identity that leaves it late', sharing, absentAt('0'.repeat(19) + '1')),
      bad('one entry more', ofA, { leaf: { ...leafOf(ofA), count: 2 } }),
      bad('another history', ofA, { leaf: { ...leafOf(ofA), history: zero } }),
      bad('no entries', ofA, { leaf: { ...leafOf(ofA), count: 0 } }),
      bad('2^32 entries', ofC, { leaf: { ...leafOf(ofC), count: 2 ** 32 } }),
      bad('the leaf of another identity', ofA, { identityHash: bytesToHex(b.identityHash) }),
      bad('one that is there as absent', ofA, { leaf: null }),
      bad('one that is there as absent, by its own leaf', ofA, {
        leaf: null,
        other: leafVector(a),
      }),
      bad('one that is there as absent, by its own leaf cut at another place', ofA, {
        leaf: null,
        other: {
          identityHash: bytesToHex(concatBytes(a.identityHash, uint(a.count, 4))),
          count: Number(`0x${bytesToHex(a.history.slice(0, 4))}`),
          history: bytesToHex(a.history.slice(4)),
        },
      }),
      bad('one that is there as absent, by a leaf that is elsewhere', ofA, {
        leaf: null,
        other: leafVector(b),
      }),
      bad('one that is absent as there', byNothing, { leaf: leafOf(ofA) }),
      bad('one that is absent with the leaf in its place', byOther, {
        leaf: { count: otherOf(byOther).count, history: otherOf(byOther).history },
        other: null,
      }),
      bad('one that is there, with another leaf besides', ofA, { other: leafVector(b) }),
      bad('one that is absent, as an empty place', byOther, { other: null }),
      bad('one that is absent, by another count', byOther, {
        other: { ...otherOf(byOther), count: 3 },
      }),
      bad('one that is absent, by a leaf without entries', byOther, {
        other: { ...otherOf(byOther), count: 0 },
      }),
      bad('one that is absent, by a leaf in an empty place', byNothing, { other: leafVector(a) }),
      bad('one that is absent, by a leaf that is not on its way', ofC, {
        identityHash: bytesToHex(absentAt('0010')),
        leaf: null,
        other: leafVector(c),
      }),
      bad(
        'one that is absent, by a leaf of the other half',
        await mapCase('', four, d.identityHash),
        {
          // The root is right if the other leaf stood at the left.
          root: node(0, dHash, Uint8Array.from(utf8ToBytes('x'.repeat(32)))),
          identityHash: bytesToHex(absentAt('0')),
          siblings: [bytesToHex(utf8ToBytes('x'.repeat(32)))],
          leaf: null,
          other: leafVector(d),
        },
      ),
      bad('under the root of another map', ofA, { root: bytesToHex(otherRoot) }),
      bad('under the root of the empty map', ofA, { root: zero }),
      bad('of the empty map under another root', inEmpty, { root: ofA.root }),
      bad('of the empty map with a sibling', inEmpty, { siblings: [zero] }),
      bad('without siblings', ofA, { siblings: [] }),
      bad('without the first sibling', ofC, { siblings: rest }),
      bad('without the last sibling', ofC, { siblings: ofC.siblings.slice(0, -1) }),
      bad('with a sibling more', ofC, { siblings: [...ofC.siblings, zero] }),
      bad('with a sibling more in front', ofC, { siblings: [zero, ...ofC.siblings] }),
      bad('with the siblings from the leaf up', ofC, { siblings: ofC.siblings.toReversed() }),
      bad('with another sibling', ofC, {
        siblings: [bytesToHex(flipped(hexBytes(first), 31)), ...rest],
      }),
      bad('with a sibling of 31 bytes', ofC, { siblings: [first.slice(2), ...rest] }),
      bad('with a sibling of 33 bytes', ofC, { siblings: [`${first}00`, ...rest] }),
      bad('with an empty sibling left out of a long way', ofLong, {
        siblings: ofLong.siblings.slice(1),
      }),
      bad('the one of the last bit, as absent by its neighbour', ofDeep, {
        leaf: null,
        other: leafVector(leafAt('0'.repeat(256), 'first')),
      }),
      bad('with 257 siblings', ofDeep, { siblings: [...ofDeep.siblings, zero] }),
      bad('with a node without its depth', inTwo(), {
        root: bytesToHex(sha256(concatBytes(L('map-node'), dHash, dHash))),
      }),
      bad('with a node of another depth', inTwo(), { root: node(1, dHash, dHash) }),
      bad('with a node without a label', inTwo(), {
        root: bytesToHex(sha256(concatBytes(Uint8Array.of(0), dHash, dHash))),
      }),
      bad('with a leaf under the label of nodes', inOne, {
        root: bytesToHex(leafHash(a, 'map-node')),
      }),
      bad('with a leaf under the label of the tree', inOne, {
        root: bytesToHex(hashLeaf(concatBytes(a.identityHash, uint(a.count, 4), a.history))),
      }),
    ],
  };

  /** d as the right child of a root whose left one has the same hash. */
  function inTwo(): LogMapCase {
    return {
      name: '',
      result: 'ok',
      root: node(0, dHash, dHash),
      identityHash: bytesToHex(d.identityHash),
      leaf: { count: d.count, history: bytesToHex(d.history) },
      siblings: [bytesToHex(dHash)],
      other: null,
    };
  }
}

function hexBytes(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function never(): never {
  throw new Error('The case is not as its name says.');
}

const MOST = 8;
const leafBytes = (index: number): Bytes => new Uint8Array(utf8ToBytes(`leaf ${index}`));

async function grownTree(): Promise<ReadTree> {
  const nodes = new Map<string, Bytes>();
  const read: ReadTree = (wanted) =>
    Promise.resolve(wanted.map(({ level, index }) => known(nodes.get(`${level}/${index}`))));
  for (let index = 0; index < MOST; index += 1) {
    for (const { level, index: at, hash } of await appendLeaf(read, index, leafBytes(index))) {
      nodes.set(`${level}/${at}`, hash);
    }
  }
  return read;
}

const hexes = (hashes: readonly Uint8Array[]): readonly string[] =>
  hashes.map((hash) => bytesToHex(hash));

/** `log-tree.json`. */
export async function logTreeVectors(): Promise<VectorFile<LogTreeCase>> {
  const read = await grownTree();
  const roots: string[] = [];
  for (let size = 0; size <= MOST; size += 1) roots.push(bytesToHex(await treeRoot(read, size)));
  const rootOf = (size: number): string => roots[size] ?? never();
  const cases: LogTreeCase[] = [];
  for (let size = 1; size <= MOST; size += 1) {
    for (let index = 0; index < size; index += 1) cases.push(await inclusion(index, size));
  }
  for (let to = 0; to <= MOST; to += 1) {
    for (let from = 0; from <= to; from += 1) cases.push(await consistency(from, to));
  }
  return {
    description:
      'Trees of RFC 6962 over leaves of a few bytes: whether a leaf is in the tree of a root, or a tree grew out of an earlier one.',
    page: 'log.md',
    cases: [...cases, ...large(), ...(await badInclusions()), ...(await badConsistencies())],
  };

  async function inclusion(index: number, size: number): Promise<LogTreeCase> {
    const leaf = bytesToHex(leafBytes(index));
    return {
      name: `leaf ${index} of ${size}`,
      result: 'ok',
      inclusion: { leaf, index, size, root: rootOf(size) },
      proof: hexes(await inclusionProof(read, index, size)),
    };
  }

  async function consistency(from: number, to: number): Promise<LogTreeCase> {
    return {
      name: `${from} leaves grow to ${to}`,
      result: 'ok',
      consistency: {
        from: { size: from, root: rootOf(from) },
        to: { size: to, root: rootOf(to) },
      },
      proof: hexes(await consistencyProof(read, from, to)),
    };
  }

  /** More leaves than 32 bits count: each tree is a complete one and one leaf more. */
  function large(): readonly LogTreeCase[] {
    const [half, whole] = [2 ** 40, 2 ** 40 + 1];
    const [left, leaf] = [bytesOf('tree/left'), leafBytes(1)];
    const root = bytesToHex(pair(left, hashLeaf(leaf)));
    const last = { leaf: bytesToHex(leaf), index: half, size: whole, root };
    const grown = {
      from: { size: half, root: bytesToHex(left) },
      to: { size: whole, root },
    };
    const top = { ...last, index: 2 ** 52, size: 2 ** 52 + 1 };
    const proof = [bytesToHex(left)];
    const added = [bytesToHex(hashLeaf(leaf))];
    return [
      { name: 'leaf 2^40 of 2^40 + 1', result: 'ok', inclusion: last, proof },
      { name: 'leaf 2^52 of 2^52 + 1', result: 'ok', inclusion: top, proof },
      { name: '2^40 leaves grow to 2^40 + 1', result: 'ok', consistency: grown, proof: added },
      bad('leaf 2^40 − 1 with the proof of leaf 2^40', {
        inclusion: { ...last, index: half - 1 },
        proof,
      }),
      bad('leaf 0 with the proof of leaf 2^40', { inclusion: { ...last, index: 0 }, proof }),
      bad('leaf 2^53 of 2^53 + 2', {
        inclusion: { ...last, index: 2 ** 53, size: 2 ** 53 + 2 },
        proof,
      }),
      bad('2^40 leaves grow to 2^41 + 1 with the proof of 2^40 + 1', {
        consistency: { from: grown.from, to: { ...grown.to, size: 2 ** 41 + 1 } },
        proof: added,
      }),
    ];
  }

  function pair(left: Uint8Array, right: Uint8Array): Uint8Array {
    return sha256(concatBytes(Uint8Array.of(1), left, right));
  }

  function bad(name: string, one: Omit<LogTreeCase, 'name' | 'result'>): LogTreeCase {
    return { name, result: 'LOG_INVALID', ...one };
  }

  async function badInclusions(): Promise<readonly LogTreeCase[]> {
    const right = await inclusion(4, 7);
    const it = right.inclusion ?? never();
    const { proof } = right;
    const [first = '', ...rest] = proof;
    const changed = (what: string, changes: Partial<typeof it>, hashes = proof): LogTreeCase =>
      bad(`leaf 4 of 7 ${what}`, { inclusion: { ...it, ...changes }, proof: hashes });
    return [
      changed('as another leaf', { leaf: bytesToHex(leafBytes(3)) }),
      changed('as leaf 5', { index: 5 }),
      changed('as leaf 6', { index: 6 }),
      changed('as leaf 7', { index: 7 }),
      changed('as leaf −1', { index: -1 }),
      changed('as leaf 4.5', { index: 4.5 }),
      changed('of 4', { size: 4 }),
      {
        name: 'leaf 4 of 7 as of 8: a root does not say how many leaves there are, heads do',
        result: 'ok',
        inclusion: { ...it, size: 8 },
        proof,
      },
      changed('of 9', { size: 9 }),
      changed('of 0', { size: 0 }),
      changed('under the root of 8', { root: rootOf(8) }),
      changed('under a root of 31 bytes', { root: it.root.slice(2) }),
      changed('without a proof', {}, []),
      changed('without the first hash', {}, rest),
      changed('without the last hash', {}, proof.slice(0, -1)),
      changed('with a hash more', {}, [...proof, first]),
      changed('with the hashes in another order', {}, proof.toReversed()),
      changed('with another hash', {}, [bytesToHex(flipped(hexBytes(first), 0)), ...rest]),
      changed('with a hash of 31 bytes', {}, [first.slice(2), ...rest]),
      changed(
        'with 55 hashes',
        {},
        Array.from({ length: 55 }, () => first),
      ),
      bad('a node as leaf 0 of 1', {
        // Its bytes are those that a node hashes, and its hash would be the root of two leaves.
        inclusion: {
          leaf: bytesToHex(concatBytes(hashLeaf(leafBytes(0)), hashLeaf(leafBytes(1)))),
          index: 0,
          size: 1,
          root: rootOf(2),
        },
        proof: [],
      }),
      bad('a leaf of the empty tree', {
        inclusion: { leaf: '', index: 0, size: 0, root: bytesToHex(EMPTY_TREE_ROOT) },
        proof: [],
      }),
      bad('a leaf whose hash has no zero in front', {
        inclusion: {
          leaf: bytesToHex(leafBytes(0)),
          index: 0,
          size: 1,
          root: bytesToHex(sha256(leafBytes(0))),
        },
        proof: [],
      }),
    ];
  }

  async function badConsistencies(): Promise<readonly LogTreeCase[]> {
    const grows = async (
      what: string,
      [from, to]: readonly [number, number],
      change: (one: {
        readonly from: { readonly size: number; readonly root: string };
        readonly to: { readonly size: number; readonly root: string };
        readonly proof: readonly string[];
      }) => Partial<typeof one>,
    ): Promise<LogTreeCase> => {
      const right = await consistency(from, to);
      const parts = { ...(right.consistency ?? never()), proof: right.proof };
      const { proof, ...sides } = { ...parts, ...change(parts) };
      return bad(`${right.name} ${what}`, { consistency: sides, proof });
    };
    const other = bytesToHex(bytesOf('tree/other'));
    return [
      await grows('from another root', [3, 7], (one) => ({ from: { ...one.from, root: other } })),
      await grows('to another root', [3, 7], (one) => ({ to: { ...one.to, root: other } })),
      await grows('as from 4', [3, 7], (one) => ({ from: { ...one.from, size: 4 } })),
      await grows('as to 9', [3, 7], (one) => ({ to: { ...one.to, size: 9 } })),
      await grows('backwards', [3, 7], (one) => ({ from: one.to, to: one.from })),
      await grows('without a proof', [3, 7], () => ({ proof: [] })),
      await grows('without the first hash', [3, 7], ({ proof }) => ({ proof: proof.slice(1) })),
      await grows('without the last hash', [3, 7], ({ proof }) => ({ proof: proof.slice(0, -1) })),
      await grows('with a hash more', [3, 7], ({ proof }) => ({ proof: [...proof, other] })),
      await grows('in another order', [3, 7], ({ proof }) => ({ proof: proof.toReversed() })),
      await grows('with another hash', [3, 7], ({ proof }) => ({
        proof: [...proof.slice(0, -1), other],
      })),
      await grows('with a hash of 33 bytes', [3, 7], ({ proof }) => ({
        proof: proof.map((hash) => `${hash}00`),
      })),
      await grows('from another root', [4, 8], (one) => ({ from: { ...one.from, root: other } })),
      await grows('without a proof', [4, 8], () => ({ proof: [] })),
      await grows('with the root that the proof leaves out', [4, 8], (one) => ({
        proof: [one.from.root, ...one.proof],
      })),
      await grows('from another root', [5, 5], (one) => ({ from: { ...one.from, root: other } })),
      await grows('with a hash', [5, 5], () => ({ proof: [other] })),
      await grows('with a hash', [0, 5], () => ({ proof: [other] })),
      await grows('from another root', [0, 5], (one) => ({ from: { ...one.from, root: other } })),
      await grows('from another root', [0, 0], (one) => ({ from: { ...one.from, root: other } })),
      await grows('as from −1', [1, 5], (one) => ({ from: { ...one.from, size: -1 } })),
      await grows('as from 1.5', [1, 5], (one) => ({ from: { ...one.from, size: 1.5 } })),
    ];
  }
}
