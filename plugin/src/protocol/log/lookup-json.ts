/** Lookups as they travel: JSON with all bytes in base64url. */
import { base64url, type Bytes } from '../primitives.ts';
import { ENTRY_LENGTH } from './entry.ts';
import type { EntryWithContent } from './history.ts';
import type { FoundIdentity, Lookup } from './lookup.ts';
import { MAP_DEPTH, type MapLeaf } from './map.ts';
import { MAX_TREE_PROOF } from './tree.ts';

/** A {@link Lookup} in JSON; every text that is not `content` is base64url. */
export interface LookupJson {
  readonly lastLeaf: string | null;
  readonly inclusion: readonly string[];
  readonly found: readonly FoundJson[];
}

/** A {@link FoundIdentity} in JSON. */
export interface FoundJson {
  readonly entries: readonly { readonly entry: string; readonly content: string }[];
  readonly siblings: readonly string[];
  readonly other: {
    readonly identityHash: string;
    readonly count: number;
    readonly history: string;
  } | null;
}

const HASH_LENGTH = 32;

/** The lookup as JSON. */
export function lookupToJson({ lastLeaf, inclusion, found }: Lookup): LookupJson {
  return {
    lastLeaf: lastLeaf && base64url.encode(lastLeaf),
    inclusion: inclusion.map(base64url.encode),
    found: found.map(({ entries, proof }) => ({
      entries: entries.map(({ entry, content }) => ({ entry: base64url.encode(entry), content })),
      siblings: proof.siblings.map(base64url.encode),
      other: proof.other && {
        identityHash: base64url.encode(proof.other.identityHash),
        count: proof.other.count,
        history: base64url.encode(proof.other.history),
      },
    })),
  };
}

/** The lookup in JSON, or null when it is none. Nothing of what it says is checked. */
export function lookupFromJson(json: unknown): Lookup | null {
  try {
    const { lastLeaf, inclusion, found } = object(json);
    return {
      lastLeaf: lastLeaf === null ? null : bytes(lastLeaf, ENTRY_LENGTH + HASH_LENGTH),
      inclusion: hashes(inclusion, MAX_TREE_PROOF),
      found: list(found).map(foundFromJson),
    };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function foundFromJson(json: unknown): FoundIdentity {
  const { entries, siblings, other } = object(json);
  return {
    entries: list(entries).map(entryFromJson),
    proof: {
      siblings: hashes(siblings, MAP_DEPTH),
      other: other === null ? null : leafFromJson(other),
    },
  };
}

function entryFromJson(json: unknown): EntryWithContent {
  const { entry, content } = object(json);
  // Ill-formed text has no bytes of its own: what an entry says of it would fit other text too.
  if (typeof content !== 'string' || !content.isWellFormed()) throw new TypeError();
  return { entry: bytes(entry, ENTRY_LENGTH), content };
}

function leafFromJson(json: unknown): MapLeaf {
  const { identityHash, count, history } = object(json);
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count >= 2 ** 32) {
    throw new TypeError();
  }
  return {
    identityHash: bytes(identityHash, HASH_LENGTH),
    count,
    history: bytes(history, HASH_LENGTH),
  };
}

function hashes(json: unknown, most: number): Bytes[] {
  const all = list(json);
  if (all.length > most) throw new TypeError();
  return all.map((hash) => bytes(hash, HASH_LENGTH));
}

function bytes(json: unknown, length: number): Bytes {
  const decoded = typeof json === 'string' ? base64url.decode(json) : null;
  if (decoded?.length !== length) throw new TypeError();
  return decoded;
}

function list(json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw new TypeError();
  return json;
}

function object(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new TypeError();
  return Object.fromEntries(Object.entries(json));
}
