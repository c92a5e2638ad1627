import { isAscii } from 'node:buffer';
import type { Identity } from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';
import { MAX_SEARCH_CHARACTERS } from './limits.ts';
import type { LogReader, StoredEntry, StoredNode } from './log-store.ts';
import { Recent } from './recent.ts';

/** An identity, and its leaf in the map; null when it has none. */
export interface Claim {
  readonly identity: Identity;
  readonly leaf: StoredNode | null;
}

/**
 * Gives the entries about each of these identities as JSON in ASCII, when the log had `size`.
 *
 * @throws ServerError `TOO_MANY_RESULTS`
 */
export type ReadHistories = (claims: readonly Claim[], size: number) => Promise<readonly string[]>;

/** The entries of a history as JSON. */
interface History {
  readonly json: string;
  /** How many characters the contents have. */
  readonly characters: number;
}

const NONE: History = { json: '[]', characters: 0 };

/** One byte each: contents are base64url. */
const KEPT_CHARACTERS = 64 * 1024 * 1024;

/** How many entries are read at once: with the longest cards there are, as much as one answer may hold. */
const READ_AT_ONCE = 512;

/**
 * Reads histories, and keeps those of late. A leaf names its history by a hash of all that is in it, so that
 * what is kept under that name is never stale.
 */
export function createHistories(log: Pick<LogReader, 'entriesOf'>): ReadHistories {
  const kept = new Recent<History>(KEPT_CHARACTERS, ({ json }) => json.length);

  async function read(claims: readonly Claim[], size: number): Promise<Map<Claim, History>> {
    const identities = claims.map(({ identity }) => identity);
    const entries = Map.groupBy(await log.entriesOf(identities, size), ({ identity }) => identity);
    return new Map(
      claims.map((claim) => {
        const own = entries.get(claim.identity) ?? [];
        const history = historyOf(own);
        // What is damaged is answered, and refused by whoever asked; once it is mended, no more.
        if (claim.leaf?.count === own.length) kept.set(claim.leaf.right, history);
        return [claim, history];
      }),
    );
  }

  return async (claims, size) => {
    const known = claims.map(({ leaf }) => (leaf ? kept.get(leaf.right) : NONE));
    let characters = known.reduce((sum, history) => sum + (history?.characters ?? 0), 0);
    const found = new Map<Claim, History>();
    // To measure first what there is to be read would take the database as long as to read it.
    for (const part of inParts(claims.filter((_, index) => !known[index]))) {
      requireRoom(characters);
      for (const [claim, history] of await read(part, size)) {
        found.set(claim, history);
        characters += history.characters;
      }
    }
    requireRoom(characters);
    return claims.map((claim, index) => (known[index] ?? found.get(claim) ?? NONE).json);
  };
}

/** In their order, with {@link READ_AT_ONCE} entries at most or of one identity. */
function inParts(claims: readonly Claim[]): readonly (readonly Claim[])[] {
  const parts: Claim[][] = [];
  let room = 0;
  for (const claim of claims) {
    const count = claim.leaf?.count ?? 0;
    if (count > room) {
      parts.push([]);
      room = READ_AT_ONCE;
    }
    parts.at(-1)?.push(claim);
    room -= count;
  }
  return parts;
}

function requireRoom(characters: number): void {
  if (characters <= MAX_SEARCH_CHARACTERS) return;
  const message = 'The answer would be too long. Ask for fewer identities at a time.';
  throw new ServerError('TOO_MANY_RESULTS', message);
}

function historyOf(entries: readonly StoredEntry[]): History {
  const json = JSON.stringify(entries.map(({ entry, content }) => ({ entry, content })));
  // All of it is base64url.
  if (!isAscii(Buffer.from(json))) throw new Error('The log in the database is damaged');
  return { json, characters: entries.reduce((sum, { content }) => sum + content.length, 0) };
}
