/** Entries of the log: that a card was approved, or revoked. */
import { byteReader, uint } from '../bytes.ts';
import { cardIdOf, idBytes, type CardId, type Identity } from '../identifiers.ts';
import { isTime } from '../time.ts';
import { concat, hash, utf8, type Bytes } from '../primitives.ts';

/** An entry of the log, 105 bytes. */
export interface LogEntry {
  readonly operation: 'approve' | 'revoke';
  /** By the log's clock: milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  /** Of the card's identity, 32 bytes: see {@link identityHash}. */
  readonly identityHash: Bytes;
  readonly cardId: CardId;
  /** The hash of the approved card or of the revocation, as it was exported: 32 bytes. */
  readonly detail: Bytes;
}

/** How long an entry is, in bytes. */
export const ENTRY_LENGTH = 105;

const OPERATIONS = { approve: 1, revoke: 2 } as const;

/** The history of an identity without entries. */
export const EMPTY_HISTORY: Bytes = new Uint8Array(32);

/**
 * Stands for an identity in one log: 32 bytes. The log's key is part of it, so that what one log
 * shows tells nothing about another.
 */
export function identityHash(logKey: Uint8Array, identity: Identity): Bytes {
  return hash('log-identity', logKey, utf8(identity));
}

/** What an entry says of an exported card or revocation, 32 bytes. */
export function detailOf(exported: string): Bytes {
  return hash('log-detail', utf8(exported));
}

/** The hash of an identity's history with one more entry, 32 bytes. */
export function extendHistory(history: Uint8Array, entry: Uint8Array): Bytes {
  return hash('log-history', history, entry);
}

/** The bytes of an entry. */
export function encodeEntry(entry: LogEntry): Bytes {
  return concat(
    uint(OPERATIONS[entry.operation], 1),
    uint(entry.time, 8),
    entry.identityHash,
    idBytes(entry.cardId),
    entry.detail,
  );
}

/** The entry of these bytes, or null when they are none. */
export function decodeEntry(bytes: Bytes): LogEntry | null {
  if (bytes.length !== ENTRY_LENGTH) return null;
  const reader = byteReader(bytes);
  const code = reader.take(1)[0];
  const time = readTime(reader.take(8));
  if (time === null || (code !== OPERATIONS.approve && code !== OPERATIONS.revoke)) return null;
  return {
    operation: code === OPERATIONS.approve ? 'approve' : 'revoke',
    time,
    identityHash: reader.take(32),
    cardId: cardIdOf(reader.take(32)),
    detail: reader.take(32),
  };
}

/** The leaf of the log for an entry: with the root of the map after it, 137 bytes. */
export function encodeLeaf(entry: Uint8Array, mapRoot: Uint8Array): Bytes {
  return concat(entry, mapRoot);
}

/** The parts of a leaf, or null when these bytes are none. */
export function decodeLeaf(
  leaf: Bytes,
): { readonly entry: LogEntry; readonly mapRoot: Bytes } | null {
  const entry = decodeEntry(leaf.slice(0, ENTRY_LENGTH));
  return entry && leaf.length === ENTRY_LENGTH + 32
    ? { entry, mapRoot: leaf.slice(ENTRY_LENGTH) }
    : null;
}

function readTime(bytes: Bytes): number | null {
  const time = Number(new DataView(bytes.buffer).getBigUint64(0));
  return isTime(time) ? time : null;
}
