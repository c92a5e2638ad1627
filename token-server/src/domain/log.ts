import {
  appendLeaf,
  base64url,
  consistencyProof,
  detailOf,
  EMPTY_HISTORY,
  EMPTY_MAP,
  encodeEntry,
  encodeHead,
  encodeLeaf,
  extendHistory,
  findInMap,
  identityHash,
  inclusionProof,
  lookupToJson,
  putIntoMap,
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
import { MAX_HISTORY, MAX_LOG_RANGE, MAX_SEARCH_CHARACTERS } from './limits.ts';
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
  entries(start: number, end: number): Promise<readonly LoggedLeaf[]>;
}

/** What is to be logged. */
export interface NewEntry extends Pick<LogEntry, 'operation' | 'time' | 'cardId'> {
  readonly identity: Identity;
  readonly cardId: CardId;
  /** The approved card or the revocation, exported. */
  readonly content: string;
  /** Also of somebody who has too many entries. */
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

/** Makes the log. */
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
    const last = size === 0 ? null : await requireEntry(log, size - 1);
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
      const index = await writer.size();
      const last = index === 0 ? null : await requireEntry(writer, index - 1);
      const key = identityHash(logKey.publicKey, identity);
      const detail = detailOf(content);
      const entry = encodeEntry({ operation, time, identityHash: key, cardId, detail });
      const root = mapRootOf(last);
      const [found] = await findInMap(writer.readMap, root, [key]);
      const { count, history } = found?.leaf ?? { count: 0, history: EMPTY_HISTORY };
      if (count >= MAX_HISTORY && !isAlwaysTaken) throw full();
      const leaf = { identityHash: key, count: count + 1, history: extendHistory(history, entry) };
      const map = await putIntoMap(writer.readMap, root, leaf);
      const tree = await appendLeaf(writer.readTree, index, encodeLeaf(entry, map.root));
      const mapRoot = base64url.encode(map.root);
      const stored = { index, identity, entry: base64url.encode(entry), content, mapRoot };
      await writer.add(stored, tree, map.added);
      return index;
    },

    head: async () => headAt(await log.size()),

    async lookUp(identities, from) {
      const size = await log.size();
      const isGrown = from > 0 && from < size;
      const consistency = isGrown ? await consistencyProof(log.readTree, from, size) : [];
      return {
        head: await headAt(size),
        lookup: await lookUpAt(identities, size),
        consistency: consistency.map(base64url.encode),
      };
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
  const message = `An identity has at most ${MAX_HISTORY} entries in the log.`;
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

async function requireEntry(log: LogReader, index: number): Promise<StoredEntry> {
  const entry = await log.entry(index);
  if (entry) return entry;
  throw new Error(`Entry ${index} of the log is missing`);
}

function mapRootOf(last: StoredEntry | null): Bytes {
  return last ? decode(last.mapRoot) : EMPTY_MAP;
}

function decode(text: string): Bytes {
  const bytes = base64url.decode(text);
  if (bytes) return bytes;
  throw new Error('The log in the database is damaged');
}
