/**
 * A lookup in the log: everything that it has about some identities, and the proof that it is
 * everything.
 */
import { EncryptionError } from '../../errors.ts';
import { pace } from '../../pace.ts';
import type { VerifyingKey } from '../curves.ts';
import type { Identity } from '../identifiers.ts';
import { equal, type Bytes } from '../primitives.ts';
import { decodeLeaf, identityHash } from './entry.ts';
import {
  readHistory,
  type AcceptCard,
  type EntryWithContent,
  type IdentityHistory,
} from './history.ts';
import type { LogHead } from './head.ts';
import { EMPTY_MAP, verifyMapProof, type MapProof } from './map.ts';
import { EMPTY_TREE_ROOT, hashLeaf, verifyInclusion } from './tree.ts';

/** What a log answers about identities, under one head. */
export interface Lookup {
  /** The log's last leaf, 137 bytes; null while the log is empty. */
  readonly lastLeaf: Bytes | null;
  /** Shows that it is the last leaf. */
  readonly inclusion: readonly Bytes[];
  /** In the order in which they were asked for. */
  readonly found: readonly FoundIdentity[];
}

/** What a log answers about one identity. */
export interface FoundIdentity {
  readonly entries: readonly EntryWithContent[];
  readonly proof: MapProof;
}

/** What a lookup is checked with. */
export interface LookupContext {
  /** The log's public key, which the application pinned. */
  readonly logKey: VerifyingKey;
  readonly appKeys: readonly VerifyingKey[];
  /** The head under which everything is shown. Its signature was checked before. */
  readonly head: LogHead;
  readonly identities: readonly Identity[];
  /** See `HistoryContext`. */
  readonly accept?: AcceptCard;
}

/**
 * The history of each identity, when all of it is proven under the head.
 * @throws EncryptionError `LOG_INVALID`
 */
export async function verifyLookup(
  lookup: Lookup,
  { logKey, head, identities, ...given }: LookupContext,
): Promise<ReadonlyMap<Identity, IdentityHistory>> {
  const mapRoot = mapRootOf(lookup, head);
  const histories = new Map<Identity, IdentityHistory>();
  if (lookup.found.length !== identities.length) throw invalid('it is for other identities');
  for (const [index, identity] of identities.entries()) {
    const found = lookup.found[index];
    if (!found) throw invalid('it is for other identities');
    const context = { ...given, identity, logKey: logKey.publicKey };
    const history = await readHistory(found.entries, context);
    if (!history) throw invalid('an entry is not about what is given with it');
    const { count, hash } = history;
    const claim = count === 0 ? null : { count, history: hash };
    const key = identityHash(logKey.publicKey, identity);
    if (!verifyMapProof(mapRoot, key, claim, found.proof)) {
      throw invalid('it does not prove that these are all entries of an identity');
    }
    histories.set(identity, history);
    await pace();
  }
  return histories;
}

/** The root of the map at the head. */
function mapRootOf({ lastLeaf, inclusion }: Lookup, { size, root }: LogHead): Bytes {
  if (size === 0) {
    if (lastLeaf || inclusion.length > 0 || !equal(root, EMPTY_TREE_ROOT)) {
      throw invalid('the log is empty and has a leaf');
    }
    return EMPTY_MAP;
  }
  const leaf = lastLeaf && decodeLeaf(lastLeaf);
  if (!leaf || !verifyInclusion(hashLeaf(lastLeaf), size - 1, size, inclusion, root)) {
    throw invalid('its leaf is not the last one of the log');
  }
  return leaf.mapRoot;
}

function invalid(why: string): EncryptionError {
  return new EncryptionError(
    'LOG_INVALID',
    `The answer of the token server proves nothing: ${why}. Its cards are not used.`,
  );
}
