/**
 * The clear part of an envelope.
 *
 *     envelope = header || commitment[32] || ciphertext
 *     header   = version=1 | type | suite | flags=0 | nonce[16] | rest
 *     rest     = of a follower   sessionId[16] | keyMessageIndex u32
 *                else, suite 1   E[32] | count u16 | count × ( hint[4] | wrapped[32] )
 *                      suite 2   count u16 | count × ( hint[4] | ciphertext[1120] | wrapped[32] )
 */
import { EncryptionError, type RejectionCode } from '../errors.ts';
import { byteReader, uint, type ByteReader } from './bytes.ts';
import { base64url, concat, hash, type Bytes } from './primitives.ts';

const PREFIX = 'e2e1.';
const VERSION = 1;
const NO_FLAGS = 0;
const TYPES = { carrier: 1, follower: 2, key: 3, sealed: 4 } as const;
// 4096 slots of suite 1 and a full message stay below it; parsing cost is linear in the length.
const MAX_TEXT_CHARACTERS = 262_144;
// 4096 slots of suite 2 and a full message stay below it.
const MAX_BYTES = 4096 * 1156 + 65_536;
/** The longest envelope as the text of a file: only key messages are that long. */
export const MAX_FILE_CHARACTERS = textLength(MAX_BYTES);
const SIGNATURE_LENGTH = 64;
const TAG_LENGTH = 16;

/** The most slots of one envelope. */
export const MAX_SLOTS = 4096;

/**
 * How message keys reach their readers: suite 1 is X25519, suite 2 X-Wing (X25519 and ML-KEM-768).
 */
export type Suite = 1 | 2;

/** Bytes of one slot of each suite. */
const SLOT_LENGTHS: Readonly<Record<Suite, number>> = { 1: 36, 2: 1156 };
/** Bytes of what a follower has in their place. */
const SESSION_LENGTH = 16 + 4;

/** How long an envelope of so many bytes is as text. */
export function textLength(bytes: number): number {
  return PREFIX.length + Math.ceil((bytes * 4) / 3);
}

/** How many bytes a header with so many slots has; without any, that of a follower. */
export function headerLength(suite: Suite, slots: number): number {
  const rest =
    slots === 0 ? SESSION_LENGTH : (suite === 1 ? 32 : 0) + 2 + slots * SLOT_LENGTHS[suite];
  return 4 + 16 + rest;
}

/** What an envelope is: `carrier` and `key` bring their message key in slots, `follower` has it from a session. */
export type EnvelopeType = keyof typeof TYPES;

/** The slots of an envelope, as they stand in it. */
export interface Slots {
  readonly suite: Suite;
  /** Suite 1 only: the sender's X25519 key for these slots, 32 bytes; otherwise empty. */
  readonly ephemeralKey: Bytes;
  readonly nonce: Bytes;
  /** The slots in a row. */
  readonly slots: Bytes;
  readonly slotLength: number;
}

/** Which session a follower belongs to, and where that was opened. */
export interface SessionReference {
  /** 16 bytes. */
  readonly sessionId: Bytes;
  /** The Twilio index of the key message: where to look for it. Not proven by anything. */
  readonly keyMessageIndex: number;
}

/** An envelope taken apart. Nothing in it is verified. */
export type Envelope = {
  readonly bytes: Bytes;
  readonly suite: Suite;
  /** SHA-256 of the header under a label: what signature and ciphertext are bound to. */
  readonly headerHash: Bytes;
  readonly commitment: Bytes;
  readonly ciphertext: Bytes;
} & (
  | { readonly type: 'carrier' | 'key' | 'sealed'; readonly slots: Slots }
  | { readonly type: 'follower'; readonly session: SessionReference }
);

/** The header with this nonce and rest. */
export function encodeHeader(
  type: EnvelopeType,
  suite: Suite,
  nonce: Bytes,
  ...rest: readonly Bytes[]
): Bytes {
  return concat(Uint8Array.of(VERSION, TYPES[type], suite, NO_FLAGS), nonce, ...rest);
}

/** The rest of a follower's header. */
export function encodeReference({ sessionId, keyMessageIndex }: SessionReference): Bytes {
  return concat(sessionId, uint(keyMessageIndex, 4));
}

/** The hash of a header. */
export function hashHeader(header: Bytes): Bytes {
  return hash('header', header);
}

/** An envelope as the text of a message. */
export function envelopeText(envelope: Bytes): string {
  return PREFIX + base64url.encode(envelope);
}

/** Whether a text begins as a key message does: a cheap look before it is taken apart. */
export function looksLikeKeyMessage(text: string): boolean {
  const [version, type] = base64url.decode(text.slice(PREFIX.length, PREFIX.length + 4)) ?? [];
  return text.startsWith(PREFIX) && version === VERSION && type === TYPES.key;
}

/**
 * Takes the text of a message apart.
 * @param limit the most characters it may have: `MAX_FILE_CHARACTERS` for a file
 * @throws EncryptionError `PLAINTEXT`, `UNSUPPORTED_VERSION`, `MALFORMED`
 */
export function parseEnvelope(text: string, limit = MAX_TEXT_CHARACTERS): Envelope {
  if (!text.startsWith(PREFIX)) {
    if (/^e2e[0-9]+\./.test(text)) throw rejected('UNSUPPORTED_VERSION', 'its version is newer');
    throw rejected('PLAINTEXT', 'it is not encrypted');
  }
  const bytes = text.length <= limit ? base64url.decode(text.slice(PREFIX.length)) : null;
  if (!bytes) throw rejected('MALFORMED', 'it is too long or not base64url');
  return parseEnvelopeBytes(bytes);
}

/**
 * Takes an envelope apart.
 * @param limit the most bytes it may have: by default those of a message for 4096 cards
 * @throws EncryptionError `UNSUPPORTED_VERSION`, `MALFORMED`
 */
export function parseEnvelopeBytes(bytes: Bytes, limit = MAX_BYTES): Envelope {
  if (bytes.length > limit) throw rejected('MALFORMED', 'it is too long');
  try {
    return parse(bytes);
  } catch (cause) {
    if (cause instanceof EncryptionError) throw cause;
    throw rejected('MALFORMED', 'its header is malformed', cause);
  }
}

function parse(bytes: Bytes): Envelope {
  const reader = byteReader(bytes);
  const [version, typeNumber, suite, flags] = reader.take(4);
  const type = typeOf(typeNumber);
  if (version !== VERSION || !type || !isSuite(suite)) {
    throw rejected('UNSUPPORTED_VERSION', 'its version, type or suite is not known');
  }
  if (flags !== NO_FLAGS) throw new RangeError();
  const nonce = reader.take(16);
  const recipients =
    type === 'follower'
      ? { type, session: { sessionId: reader.take(16), keyMessageIndex: reader.uint(4) } }
      : { type, slots: parseSlots(reader, suite, nonce) };
  const headerHash = hashHeader(bytes.subarray(0, reader.offset));
  const commitment = reader.take(32);
  const ciphertext = reader.rest();
  if (ciphertext.length < SIGNATURE_LENGTH + TAG_LENGTH) throw new RangeError();
  return { bytes, suite, headerHash, commitment, ciphertext, ...recipients };
}

function parseSlots(reader: ByteReader, suite: Suite, nonce: Bytes): Slots {
  const ephemeralKey = reader.take(suite === 1 ? 32 : 0);
  const count = reader.uint(2);
  if (count < 1 || count > MAX_SLOTS) throw new RangeError();
  const slotLength = SLOT_LENGTHS[suite];
  return { suite, ephemeralKey, nonce, slots: reader.take(count * slotLength), slotLength };
}

function typeOf(number: number | undefined): EnvelopeType | undefined {
  switch (number) {
    case TYPES.carrier:
      return 'carrier';
    case TYPES.follower:
      return 'follower';
    case TYPES.key:
      return 'key';
    case TYPES.sealed:
      return 'sealed';
    default:
      return undefined;
  }
}

/** Whether this is a suite that there is. */
export function isSuite(value: unknown): value is Suite {
  return value === 1 || value === 2;
}

/** The error of an envelope that is refused. */
export function rejected(code: RejectionCode, why: string, cause?: unknown): EncryptionError {
  return new EncryptionError(code, `The message was rejected: ${why}.`, { cause });
}
