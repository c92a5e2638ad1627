/**
 * Sealed data, the envelopes of type 4: bytes for the holders of cards, outside of any chat.
 *
 *     tbs = senderKey[32] | mode u8 | lp32(content)      mode 0: data, 1: what opens a stream
 *
 * It names its signer by the signing key and not by a card: a key signs before it has a card, or
 * with several, and whoever verifies has the card that holds this very key.
 */
import { EncryptionError } from '../errors.ts';
import { byteReader, lengthPrefixed, uint } from './bytes.ts';
import type { SigningKey, VerifyingKey } from './curves.ts';
import { freshHeader, openEnvelope, openOwnSlots, sealEnvelope } from './envelope.ts';
import { hashHeader, parseEnvelopeBytes, rejected } from './header.ts';
import { concat, equal, type Bytes, type RandomSource } from './primitives.ts';
import type { SlotOpener } from './slot.ts';
import type { SlotSealer } from './slot-parts.ts';

/** What the content of sealed data is: the data, or the key of a stream (`sealed-stream.ts`). */
export type SealedMode = keyof typeof MODES;

const MODES = { data: 0, stream: 1 } as const;
/** The longest content: it is held in memory several times over. */
export const MAX_DATA = 64 * 2 ** 20;
// 64 MiB padded, and 4096 slots of any suite.
const MAX_ENVELOPE = 72 * 2 ** 20;
const KEY_LENGTH = 32;

/** An envelope of type 4. */
export interface SealedData {
  readonly bytes: Bytes;
  /** SHA-256 of its header under a label, 32 bytes: names this envelope and no other. */
  readonly headerHash: Bytes;
}

/**
 * Signs content and encrypts it for recipients, under a fresh message key.
 * @param slots under an ephemeral key of their own
 * @throws EncryptionError `MESSAGE_TOO_LARGE` over 64 MiB, and what the slots throw
 */
export async function sealData(
  mode: SealedMode,
  content: Bytes,
  signingKey: SigningKey,
  slots: SlotSealer,
  random: RandomSource,
): Promise<SealedData> {
  if (content.length > MAX_DATA) {
    throw new EncryptionError(
      'MESSAGE_TOO_LARGE',
      'Data to seal has at most 64 MiB. Seal it as a stream.',
    );
  }
  const tbs = concat(signingKey.publicKey, uint(MODES[mode], 1), lengthPrefixed(4, content));
  const { header, messageKey } = await freshHeader('sealed', slots, random);
  const bytes = await sealEnvelope('sealed', header, messageKey, signingKey, tbs);
  return { bytes, headerHash: hashHeader(header) };
}

/** Sealed data whose every check passed. */
export interface OpenedData {
  readonly content: Bytes;
  /** The one of the given keys that signed it. */
  readonly senderKey: VerifyingKey;
  /** As in {@link SealedData}. */
  readonly headerHash: Bytes;
}

/**
 * Opens what {@link sealData} made in this mode and verifies it; nothing comes out before
 * everything is checked.
 * @param senders the keys of whom it may be from
 * @returns null when no slot is for this reader
 * @throws EncryptionError `UNSUPPORTED_VERSION`, `MALFORMED`, `COMMITMENT_MISMATCH`,
 * `DECRYPTION_FAILED`, `BAD_SIGNATURE`
 */
export async function openData(
  mode: SealedMode,
  bytes: Bytes,
  opener: SlotOpener,
  senders: readonly VerifyingKey[],
): Promise<OpenedData | null> {
  const envelope = parseEnvelopeBytes(bytes, MAX_ENVELOPE);
  if (envelope.type !== 'sealed') throw rejected('MALFORMED', 'it is not sealed data');
  const own = await openOwnSlots(envelope.slots, opener);
  if (!own) return null;
  const opened = openEnvelope('sealed', envelope, own.messageKeys);
  const signed = decode(opened.padded);
  if (!signed || !opened.endsAt(signed.length)) {
    throw rejected('MALFORMED', 'its plaintext is malformed');
  }
  if (signed.mode !== MODES[mode]) throw rejected('MALFORMED', `it is no sealed ${mode}`);
  const senderKey = senders.find(({ publicKey }) => equal(publicKey, signed.senderKey));
  if (!senderKey || !(await opened.isSignedBy(senderKey, signed.length))) {
    throw rejected('BAD_SIGNATURE', 'none of the given cards signed it for these recipients');
  }
  return { content: signed.content, senderKey, headerHash: envelope.headerHash };
}

interface Signed {
  readonly senderKey: Bytes;
  readonly mode: number;
  readonly content: Bytes;
  readonly length: number;
}

function decode(bytes: Bytes): Signed | null {
  try {
    const reader = byteReader(bytes);
    const senderKey = reader.take(KEY_LENGTH);
    const mode = reader.uint(1);
    const content = reader.take(reader.uint(4));
    return { senderKey, mode, content, length: reader.offset };
  } catch {
    return null;
  }
}
