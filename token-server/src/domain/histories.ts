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
const KEPT_CHARACTERS = 32 * 1024 * 1024;

/**
 * Reads histories, and keeps those of late. A leaf names its history by a hash of all that is in it, so that
 * what is kept under that name is never stale.
 */
export function createHistories(log: Pick<LogReader, 'measure' | 'entriesOf'>): ReadHistories {
  const kept = new Recent<History>(KEPT_CHARACTERS, ({ json }) => json.length);
  return async (claims, size) => {
    const known = claims.map(({ leaf }) => (leaf ? kept.get(leaf.right) : NONE));
    const unknown = claims.filter((_, index) => !known[index]).map(({ identity }) => identity);
    const measured = known.reduce((sum, history) => sum + (history?.characters ?? 0), 0);
    if (measured + (await log.measure(unknown, size)) > MAX_SEARCH_CHARACTERS) {
      const message = 'The answer would be too long. Ask for fewer identities at a time.';
      throw new ServerError('TOO_MANY_RESULTS', message);
    }
    const read = Map.groupBy(await log.entriesOf(unknown, size), ({ identity }) => identity);
    return claims.map(({ identity, leaf }, index) => {
      const history = known[index];
      if (history) return history.json;
      const entries = read.get(identity) ?? [];
      const now = historyOf(entries);
      // What is damaged is answered, and refused by whoever asked; once it is mended, no more.
      if (leaf?.count === entries.length) kept.set(leaf.right, now);
      return now.json;
    });
  };
}

function historyOf(entries: readonly StoredEntry[]): History {
  const json = JSON.stringify(entries.map(({ entry, content }) => ({ entry, content })));
  // All of it is base64url.
  if (!isAscii(Buffer.from(json))) throw new Error('The log in the database is damaged');
  return { json, characters: entries.reduce((sum, { content }) => sum + content.length, 0) };
}
