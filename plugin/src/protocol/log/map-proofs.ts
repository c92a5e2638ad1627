/**
 * The log's map as its keeper has it: nodes by their hashes, which are never changed, so that each
 * earlier map is still there under its root. A change adds about as many nodes as the number of
 * identities has bits.
 */
import { base64url, equal, type Bytes } from '../primitives.ts';
import {
  EMPTY_MAP,
  hashMapLeaf,
  hashMapNode,
  mapBit,
  sharedBits,
  type MapLeaf,
  type MapProof,
} from './map.ts';

/** A node by what its hash is over: two children, or a leaf. */
export type MapNode = { readonly left: Bytes; readonly right: Bytes } | MapLeaf;

/** Gives the nodes of these hashes, in their order. All of them were added before. */
export type ReadMap = (hashes: readonly Bytes[]) => Promise<readonly MapNode[]>;

/** A map after a change. */
export interface ChangedMap {
  readonly root: Bytes;
  /** To be kept by their hashes. */
  readonly added: readonly { readonly hash: Bytes; readonly node: MapNode }[];
}

/** What a map says of an identity, with the proof of it. */
export interface FoundInMap {
  readonly leaf: MapLeaf | null;
  readonly proof: MapProof;
}

/** The map with this leaf in the place of the identity's former one. */
export async function putIntoMap(read: ReadMap, root: Bytes, leaf: MapLeaf): Promise<ChangedMap> {
  const [found] = await findInMap(read, root, [leaf.identityHash]);
  if (!found) throw new RangeError('The map gave no answer.');
  const added: { hash: Bytes; node: MapNode }[] = [];
  const keep = (hash: Bytes, node: MapNode): Bytes => {
    added.push({ hash, node });
    return hash;
  };
  const join = (depth: number, child: Bytes, sibling: Bytes): Bytes => {
    const isLeft = mapBit(leaf.identityHash, depth) === 0;
    const [left, right] = isLeft ? [child, sibling] : [sibling, child];
    return keep(hashMapNode(depth, left, right), { left, right });
  };
  const { siblings, other } = found.proof;
  const all = [...siblings, ...(other ? siblingsTo(other, leaf, siblings.length) : [])];
  const end = keep(hashMapLeaf(leaf), leaf);
  return {
    root: all.reduceRight((child, sibling, depth) => join(depth, child, sibling), end),
    added,
  };
}

// Two leaves in one place go down together, to where they part.
function siblingsTo(other: MapLeaf, leaf: MapLeaf, depth: number): Bytes[] {
  const parting = sharedBits(other.identityHash, leaf.identityHash);
  return [...Array.from({ length: parting - depth }, () => EMPTY_MAP), hashMapLeaf(other)];
}

/** What the map under `root` says of these identities; each step down reads once for all of them. */
export async function findInMap(
  read: ReadMap,
  root: Bytes,
  identityHashes: readonly Bytes[],
): Promise<readonly FoundInMap[]> {
  const walks = identityHashes.map((identityHash) => walk(identityHash, root));
  for (;;) {
    const waiting = walks.filter(({ next }) => next !== null);
    if (waiting.length === 0) return walks.map((one) => one.found());
    const wanted = new Map(
      waiting.flatMap(({ next }) => (next ? [[base64url.encode(next), next] as const] : [])),
    );
    const nodes = await read([...wanted.values()]);
    const byHash = new Map([...wanted.keys()].map((name, index) => [name, nodes[index]]));
    for (const one of waiting) one.step((hash) => byHash.get(base64url.encode(hash)));
  }
}

/** One identity's way down. */
interface Walk {
  /** The node to read next; null at the end. */
  readonly next: Bytes | null;
  step(nodeOf: (hash: Bytes) => MapNode | undefined): void;
  found(): FoundInMap;
}

function walk(identityHash: Bytes, root: Bytes): Walk {
  const siblings: Bytes[] = [];
  let next: Bytes | null = orEnd(root);
  let end: MapLeaf | null = null;
  return {
    get next() {
      return next;
    },
    step(nodeOf) {
      const node = next && nodeOf(next);
      if (!node) throw new RangeError('A node of the map is missing.');
      if ('history' in node) {
        end = node;
        next = null;
        return;
      }
      const isLeft = mapBit(identityHash, siblings.length) === 0;
      siblings.push(isLeft ? node.right : node.left);
      next = orEnd(isLeft ? node.left : node.right);
    },
    found() {
      const isOwn = end !== null && equal(end.identityHash, identityHash);
      return { leaf: isOwn ? end : null, proof: { siblings, other: isOwn ? null : end } };
    },
  };
}

function orEnd(hash: Bytes): Bytes | null {
  return equal(hash, EMPTY_MAP) ? null : hash;
}
