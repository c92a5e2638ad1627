import {
  base64url,
  consistencyProof,
  detailOf,
  EMPTY_MAP,
  encodeEntry,
  encodeHead,
  encodeLeaf,
  findInMap,
  identityHash,
  inclusionProof,
  lookupToJson,
  signHead,
  treeRoot,
  type Bytes,
  type CardId,
  type EntryWithContent,
  type Identity,
  type LogEntry,
  type LookupJson,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';
import {
  MAX_HISTORY,
  MAX_HISTORY_CHARACTERS,
  MAX_LOG_RANGE,
  MAX_SEARCH_CHARACTERS,
} from './limits.ts';
import { isOfLog } from './log-key.ts';
import { takeStep } from './log-step.ts';
import type { LogReader, LogWriter, StoredEntry } from './log-store.ts';

/** The transparency log: see spec/log.md. Bytes in its answers are in base64url. */
export interface Log {
  /**
   * Adds an entry in the transaction that stores what it is about.
   *
   * @returns its number
   * @throws ServerError `CARD_LIMIT` for one of somebody who had too many
   */
  append(writer: LogWriter, entry: NewEntry): Promise<number>;
  /** The number of the entry that is about this content. */
  indexOf(identity: Identity, content: string): Promise<number>;
  /** The newest head. */
  head(): Promise<string>;
  /**
   * All entries about these identities, with the proof that they are all; and that the log grew out
   * of the one of `from` entries, if that is a smaller one.
   *
   * @throws ServerError `TOO_MANY_RESULTS`
   */
  lookUp(identities: readonly Identity[], from: number): Promise<LookupAnswer>;
  /**
   * All entries about an identity when the log had `size`.
   *
   * @throws ServerError `INVALID_REQUEST` when it was never that large
   */
  lookUpAt(identity: Identity, size: number): Promise<LookupJson>;
  /** @throws ServerError `INVALID_REQUEST` when the log is not that large */
  inclusion(index: number, size: number): Promise<readonly string[]>;
  /** @throws ServerError `INVALID_REQUEST` when the log is not that large */
  consistency(from: number, to: number): Promise<readonly string[]>;
  /**
   * Entries with the roots of the map after them, for auditors; fewer at the end of the log.
   *
   * @throws ServerError `INVALID_REQUEST` when more are asked for than one answer holds
   */
  readonly entries: (start: number, end: number) => Promise<readonly LoggedLeaf[]>;
}

/** What is to be logged. */
export interface NewEntry extends Pick<LogEntry, 'operation' | 'time' | 'cardId'> {
  readonly identity: Identity;
  readonly cardId: CardId;
  /** The approved card or the revocation, exported. */
  readonly content: string;
  /** Also when it is of somebody who has too many. */
  readonly isAlwaysTaken?: boolean;
}

/** What the log says of identities under its newest head. */
export interface LookupAnswer {
  readonly head: string;
  readonly lookup: LookupJson;
  readonly consistency: readonly string[];
}

/** A leaf of the log's tree, in its two parts. */
export interface LoggedLeaf {
  readonly entry: string;
  readonly mapRoot: string;
}

/** Parts that a log is made of. */
export interface LogParts {
  readonly log: LogReader;
  readonly logKey: SigningKey;
  readonly now: () => number;
}

/** Makes the log. Nothing is added to, or shown of, a log that began with another key. */
export function createLog({ log, logKey, now }: LogParts): Log {
  async function headAt(size: number): Promise<string> {
    const root = await treeRoot(log.readTree, size);
    return base64url.encode(encodeHead(await signHead(logKey, { size, root, signedAt: now() })));
  }

  async function lookUpAt(identities: readonly Identity[], size: number): Promise<LookupJson> {
    if ((await log.measure(identities, size)) > MAX_SEARCH_CHARACTERS) {
      const message = 'The answer would be too long. Ask for fewer identities at a time.';
      throw new ServerError('TOO_MANY_RESULTS', message);
    }
    const last = await lastOf(log, size, logKey);
    const hashes = identities.map((identity) => identityHash(logKey.publicKey, identity));
    const found = await findInMap(log.readMap, mapRootOf(last), hashes);
    const entries = groupByIdentity(await log.entriesOf(identities, size));
    return lookupToJson({
      lastLeaf: last && encodeLeaf(decode(last.entry), decode(last.mapRoot)),
      inclusion: size === 0 ? [] : await inclusionProof(log.readTree, size - 1, size),
      found: found.map(({ proof }, index) => ({
        entries: entries.get(identities[index] ?? '') ?? [],
        proof,
      })),
    });
  }

  async function requireSize(size: number): Promise<void> {
    if (size > (await log.size())) {
      throw new ServerError('INVALID_REQUEST', 'The log is not that large.');
    }
  }

  return {
    async append(writer, { operation, time, identity, cardId, content, isAlwaysTaken }) {
      const size = await writer.size();
      const last = await lastOf(writer, size, logKey);
      const key = identityHash(logKey.publicKey, identity);
      const detail = detailOf(content);
      const entry = encodeEntry({ operation, time, identityHash: key, cardId, detail });
      const { readTree, readMap } = writer;
      const step = await takeStep({ size, mapRoot: mapRootOf(last), readTree, readMap }, entry);
      if (!isAlwaysTaken) {
        const characters = content.length + (await writer.measure([identity], size));
        if (step.count > MAX_HISTORY || characters > MAX_HISTORY_CHARACTERS) throw full();
      }
      const mapRoot = base64url.encode(step.mapRoot);
      const stored = { index: size, identity, entry: base64url.encode(entry), content, mapRoot };
      await writer.add(stored, step.tree, step.map);
      return size;
    },

    async indexOf(identity, content) {
      const index = await log.indexOf(identity, content);
      if (index === null) throw new Error('What is stored is not in the log');
      return index;
    },

    async head() {
      const size = await log.size();
      await lastOf(log, size, logKey);
      return headAt(size);
    },

    async lookUp(identities, from) {
      const size = await log.size();
      const isGrown = from > 0 && from < size;
      const consistency = isGrown ? await consistencyProof(log.readTree, from, size) : [];
      const lookup = await lookUpAt(identities, size);
      const head = await headAt(size);
      return { head, lookup, consistency: consistency.map(base64url.encode) };
    },

    async lookUpAt(identity, size) {
      await requireSize(size);
      return lookUpAt([identity], size);
    },

    async inclusion(index, size) {
      if (index >= size) throw new ServerError('INVALID_REQUEST', 'There is no such entry then.');
      await requireSize(size);
      return (await inclusionProof(log.readTree, index, size)).map(base64url.encode);
    },

    async consistency(from, to) {
      if (from > to) throw new ServerError('INVALID_REQUEST', 'A log never becomes smaller.');
      await requireSize(to);
      return (await consistencyProof(log.readTree, from, to)).map(base64url.encode);
    },

    async entries(start, end) {
      if (end < start || end - start > MAX_LOG_RANGE) {
        const message = `One answer has at most ${MAX_LOG_RANGE} entries, in their order.`;
        throw new ServerError('INVALID_REQUEST', message);
      }
      return (await log.range(start, end)).map(({ entry, mapRoot }) => ({ entry, mapRoot }));
    },
  };
}

// The first revocation of each card is always taken: there are no more of them than of cards.
function full(): ServerError {
  const message = `An identity has at most ${MAX_HISTORY} entries in the log, of ${MAX_HISTORY_CHARACTERS} characters.`;
  return new ServerError('CARD_LIMIT', message);
}

function groupByIdentity(
  stored: readonly StoredEntry[],
): ReadonlyMap<string, readonly EntryWithContent[]> {
  const groups = new Map<string, EntryWithContent[]>();
  for (const { identity, entry, content } of stored) {
    const group = groups.get(identity) ?? [];
    group.push({ entry: decode(entry), content });
    groups.set(identity, group);
  }
  return groups;
}

/**
 * The last entry of a log of this size, or null.
 *
 * @throws ServerError `UNAVAILABLE` when the log is that of another key
 */
async function lastOf(
  log: LogReader,
  size: number,
  { publicKey }: SigningKey,
): Promise<StoredEntry | null> {
  if (size === 0) return null;
  const last = await log.entry(size - 1);
  if (!last) throw new Error(`Entry ${size - 1} of the log is missing`);
  if (isOfLog(last, publicKey)) return last;
  const cause = new Error('The log in the database is that of another key than this one');
  throw new ServerError('UNAVAILABLE', 'The log of this server cannot be used now.', { cause });
}

function mapRootOf(last: StoredEntry | null): Bytes {
  return last ? decode(last.mapRoot) : EMPTY_MAP;
}

function decode(text: string): Bytes {
  const bytes = base64url.decode(text);
  if (bytes) return bytes;
  throw new Error('The log in the database is damaged');
}
