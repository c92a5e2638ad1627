import { base64url, EMPTY_MAP } from 'twilio-chat-encryption/protocol';
import type { HashedIdentity } from './identity-hashes.ts';
import type { ReadNodes, StoredNode } from './log-store.ts';
import { Recent } from './recent.ts';

/** What the map says of an identity, in the text in which it is stored and sent. */
export interface FoundText {
  /** The hash beside each node of the path, from the root down, as the members of a list in JSON. */
  readonly above: string;
  /** Those from depth 8 on. */
  readonly below: string;
  /** The leaf at the end of the path, the identity's own or another's; null when nothing is there. */
  readonly end: StoredNode | null;
}

/**
 * Tells what the map under `root`, in base64url, says of these identities, as `findInMap` does of some. No
 * hash is decoded or encoded, and what several paths have in common is looked at once.
 */
export type SearchMap = (
  root: string,
  people: readonly HashedIdentity[],
) => Promise<readonly FoundText[]>;

/** A node, and who comes by it. */
interface Place {
  readonly hash: string;
  readonly parent: Place | null;
  /** The hash of the other child of its parent. */
  readonly sibling: string;
  /** Whose paths lead here: those from `first` up to and without `end`, in the order of the search. */
  readonly first: number;
  readonly end: number;
}

/** The end of somebody's path, which is the same while the node at depth 8 is the same. */
interface Kept extends Omit<FoundText, 'above'> {
  readonly node: string;
}

const EMPTY = base64url.encode(EMPTY_MAP);
const NOWHERE: FoundText = { above: '', below: '', end: null };

/** An entry of the log changes one of 256 nodes at this depth. */
const KEPT_DEPTH = 8;
/** Some 1000 bytes each where a hundred million people are. */
const KEPT_PATHS = 65_536;

/** Makes the search, which keeps the ends of paths of late. */
export function createMapSearch(read: ReadNodes): SearchMap {
  const kept = new Recent<Kept>(KEPT_PATHS);
  return async (root, people) => {
    // Whoever shares a path is side by side in it.
    const order = [...people.keys()];
    const found: FoundText[] = people.map(() => NOWHERE);

    function arrive(place: Place, end: StoredNode | null): void {
      const path = pathTo(place);
      const above = listed(path.slice(0, KEPT_DEPTH));
      const below = listed(path.slice(KEPT_DEPTH));
      const node = path[KEPT_DEPTH - 1]?.hash;
      for (const member of order.slice(place.first, place.end)) {
        found[member] = { above, below, end };
        const name = people[member]?.name;
        if (name !== undefined && node !== undefined) kept.set(name, { node, below, end });
      }
    }

    /** Leaves those whose way on is known, and gives the place of the others. */
    function leaveKnown(place: Place): Place {
      const above = listed(pathTo(place));
      const isKnown = (member: number): boolean => {
        const known = kept.get(people[member]?.name ?? '');
        if (known?.node !== place.hash) return false;
        found[member] = { above, below: known.below, end: known.end };
        return true;
      };
      return { ...place, first: part(order, place, isKnown) };
    }

    let places: Place[] = [];
    const goTo = (place: Place): void => {
      if (place.first === place.end) return;
      if (place.hash === EMPTY) arrive(place, null);
      else places.push(place);
    };
    goTo({ hash: root, parent: null, sibling: '', first: 0, end: order.length });
    for (let depth = 0; places.length > 0; depth += 1) {
      const parents =
        depth === KEPT_DEPTH
          ? places.map(leaveKnown).filter(({ first, end }) => first < end)
          : places;
      const nodes = await read(parents.map(({ hash }) => hash));
      places = [];
      const [byte, bit] = [depth >> 3, 0x80 >> (depth & 7)];
      const isLeft = (member: number): boolean => ((people[member]?.hash[byte] ?? 0) & bit) === 0;
      for (const [index, parent] of parents.entries()) {
        const node = nodes[index];
        if (!node || depth > 255) throw new RangeError('A node of the map is missing.');
        if (node.count !== null) {
          arrive(parent, node);
          continue;
        }
        const { left, right } = node;
        const { first, end } = parent;
        const middle = part(order, parent, isLeft);
        goTo({ hash: left, parent, sibling: right, first, end: middle });
        goTo({ hash: right, parent, sibling: left, first: middle, end });
      }
    }
    return found;
  };
}

/**
 * Puts those who `isFirst` holds for before the others.
 *
 * @returns where the others begin
 */
function part(
  order: number[],
  { first, end }: Place,
  isFirst: (member: number) => boolean,
): number {
  let middle = first;
  for (let at = first; at < end; at += 1) {
    const member = order[at] ?? 0;
    if (!isFirst(member)) continue;
    order[at] = order[middle] ?? 0;
    order[middle] = member;
    middle += 1;
  }
  return middle;
}

/** The places below the root on the way here. */
function pathTo(place: Place): readonly Place[] {
  const path: Place[] = [];
  for (let at = place; at.parent; at = at.parent) path.push(at);
  return path.reverse();
}

function listed(path: readonly Place[]): string {
  return path.length === 0 ? '' : `"${path.map(({ sibling }) => sibling).join('","')}"`;
}
