import {
  base64url,
  EMPTY_MAP,
  encodeLeaf,
  inclusionProof,
  type Bytes,
  type ReadTree,
} from 'twilio-chat-encryption/protocol';
import { createHistories } from './histories.ts';
import { createIdentityHashes } from './identity-hashes.ts';
import type { LogReader, StoredEntry, StoredNode } from './log-store.ts';
import { createMapSearch } from './map-search.ts';
import { decodeStored } from './stored-bytes.ts';

/** Parts that lookups are made of. */
export interface LookupsParts {
  readonly log: LogReader;
  readonly readTree: ReadTree;
  /** Of the log. */
  readonly publicKey: Bytes;
}

/**
 * All entries about who has these names when the log ended with `last`, with the proof that they are all.
 * Names that nobody could have are left out.
 *
 * @param last - null for the empty log
 * @returns the JSON of a `LookupJson`, in parts. A search of a thousand is two megabytes, which are put
 *   together out of what is stored, and of what is kept of earlier ones, and are nothing else in between
 * @throws ServerError `TOO_MANY_RESULTS`
 */
export type LookUp = (
  last: StoredEntry | null,
  names: readonly string[],
) => Promise<readonly string[]>;

const NO_MAP = base64url.encode(EMPTY_MAP);

/** Makes lookups. */
export function createLookups({ log, readTree, publicKey }: LookupsParts): LookUp {
  const readHistories = createHistories(log);
  const hashedOf = createIdentityHashes(publicKey);
  const searchMap = createMapSearch(log.readNodes);

  async function findAll(last: StoredEntry | null, names: readonly string[]): Promise<string[]> {
    const people = names.map(hashedOf).filter((one) => one !== null);
    const found = await searchMap(last?.mapRoot ?? NO_MAP, people);
    const claims = people.map(({ identity, name }, index) => {
      const end = found[index]?.end ?? null;
      return { identity, leaf: end?.left === name ? end : null };
    });
    const histories = await readHistories(claims, sizeWith(last));
    return found.flatMap(({ above, below, end }, index) => [
      index === 0 ? '{"entries":' : ',{"entries":',
      histories[index] ?? '[]',
      ',"siblings":[',
      above,
      below === '' ? '' : ',',
      below,
      '],"other":',
      end && end !== claims[index]?.leaf ? otherLeaf(end) : 'null',
      '}',
    ]);
  }

  return async (last, names) => {
    const size = sizeWith(last);
    const [found, inclusion] = await Promise.all([
      findAll(last, names),
      size === 0 ? [] : inclusionProof(readTree, size - 1, size),
    ]);
    const lastLeaf = last && encodeLeaf(decodeStored(last.entry), decodeStored(last.mapRoot));
    const leaf = JSON.stringify(lastLeaf && base64url.encode(lastLeaf));
    const proof = JSON.stringify(inclusion.map(base64url.encode));
    return [`{"lastLeaf":${leaf},"inclusion":${proof},"found":[`, ...found, ']}'];
  };
}

/** How many entries a log has that ends with this one. */
export function sizeWith(last: StoredEntry | null): number {
  return last ? last.index + 1 : 0;
}

function otherLeaf({ left, right, count }: StoredNode): string {
  return JSON.stringify({ identityHash: left, count, history: right });
}
