import {
  base64url,
  consistencyProof,
  detailOf,
  EMPTY_MAP,
  encodeEntry,
  encodeHead,
  identityHash,
  inclusionProof,
  signHead,
  treeRoot,
  type Bytes,
  type CardId,
  type Identity,
  type LogEntry,
  type LookupJson,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';
import { joined } from './joined.ts';
import { MAX_HISTORY, MAX_HISTORY_CHARACTERS, MAX_LOG_RANGE } from './limits.ts';
import { isOfLog } from './log-key.ts';
import { takeStep } from './log-step.ts';
import type { LogReader, LogWriter, StoredEntry } from './log-store.ts';
import { createLookups, sizeWith } from './lookups.ts';
import { readTogether } from './read-together.ts';
import { decodeStored } from './stored-bytes.ts';

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
   * All entries about who has these names, with the proof that they are all; and that the log grew out
   * of the one of `from` entries, if that is a smaller one. Names that nobody could have are left out.
   *
   * @returns the JSON of a {@link LookupAnswer}, in UTF-8
   * @throws ServerError `TOO_MANY_RESULTS`
   */
  lookUp(names: readonly string[], from: number): Promise<Buffer>;
  /**
   * All entries about an identity when the log had `size`.
   *
   * @returns the JSON of a `LookupJson` as the member `lookup`, in UTF-8
   * @throws ServerError `INVALID_REQUEST` when it was never that large
   */
  lookUpAt(identity: Identity, size: number): Promise<Buffer>;
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
  const readTree = readTogether(log.readTree);
  const lookUpUnder = createLookups({ log, readTree, publicKey: logKey.publicKey });

  async function headAt(size: number): Promise<string> {
    const root = await treeRoot(readTree, size);
    return base64url.encode(encodeHead(await signHead(logKey, { size, root, signedAt: now() })));
  }

  async function requireSize(size: number): Promise<void> {
    if (size > (await log.size())) {
      throw new ServerError('INVALID_REQUEST', 'The log is not that large.');
    }
  }

  return {
    async append(writer, { operation, time, identity, cardId, content, isAlwaysTaken }) {
      const last = ofThisLog(await writer.last(), logKey);
      const size = sizeWith(last);
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
      return headAt(sizeWith(ofThisLog(await log.last(), logKey)));
    },

    async lookUp(names, from) {
      const last = ofThisLog(await log.last(), logKey);
      const size = sizeWith(last);
      const isGrown = from > 0 && from < size;
      const [lookup, head, proof] = await Promise.all([
        lookUpUnder(last, names),
        headAt(size),
        isGrown ? consistencyProof(readTree, from, size) : [],
      ]);
      const consistency = JSON.stringify(proof.map(base64url.encode));
      return joined([`{"head":"${head}","lookup":`, ...lookup, `,"consistency":${consistency}}`]);
    },

    async lookUpAt(identity, size) {
      await requireSize(size);
      const last = size === 0 ? null : await log.entry(size - 1);
      if (size > 0 && !last) throw new Error(`Entry ${size - 1} of the log is missing`);
      const lookup = await lookUpUnder(ofThisLog(last, logKey), [identity]);
      return joined(['{"lookup":', ...lookup, '}']);
    },

    async inclusion(index, size) {
      if (index >= size) throw new ServerError('INVALID_REQUEST', 'There is no such entry then.');
      await requireSize(size);
      return (await inclusionProof(readTree, index, size)).map(base64url.encode);
    },

    async consistency(from, to) {
      if (from > to) throw new ServerError('INVALID_REQUEST', 'A log never becomes smaller.');
      await requireSize(to);
      return (await consistencyProof(readTree, from, to)).map(base64url.encode);
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

/**
 * The same entry, or null for none.
 *
 * @throws ServerError `UNAVAILABLE` when the log is that of another key
 */
function ofThisLog(entry: StoredEntry | null, { publicKey }: SigningKey): StoredEntry | null {
  if (!entry || isOfLog(entry, publicKey)) return entry;
  const cause = new Error('The log in the database is that of another key than this one');
  throw new ServerError('UNAVAILABLE', 'The log of this server cannot be used now.', { cause });
}

function mapRootOf(last: StoredEntry | null): Bytes {
  return last ? decodeStored(last.mapRoot) : EMPTY_MAP;
}
