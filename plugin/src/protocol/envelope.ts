/**
 * Envelopes: what Twilio stores instead of a message. Type 1, message carrier, suite 1.
 *
 *     text     = "e2e1." || base64url(envelope)
 *     envelope = header || commitment[32] || ciphertext
 *     header   = version=1 | type=1 | suite=1 | flags=0 | nonce[16] | E[32] | count u16 | slots
 */
import { EncryptionError, type RejectionCode } from '../errors.ts';
import { byteReader, uint } from './bytes.ts';
import type { Card } from './card.ts';
import { decodeContent, type Content } from './content.ts';
import type { SigningKey } from './curves.ts';
import type { CardId, ChannelSid, Identity } from './identifiers.ts';
import { decodeMessage, encodeMessage, type SignedMessage } from './message.ts';
import { isPadded, pad } from './padding.ts';
import {
  base64url,
  concat,
  decryptOnce,
  encryptOnce,
  equal,
  expandKey,
  extractKey,
  hash,
  hex,
  type Bytes,
  utf8,
  type RandomSource,
} from './primitives.ts';
import { sign, verify } from './signature.ts';
import {
  MAX_SLOTS,
  openSlots,
  sealSlots,
  SLOT_LENGTH,
  type Ephemeral,
  type SlotOpener,
} from './slot.ts';

const PREFIX = 'e2e1.';
const VERSION = 1;
const TYPE_MESSAGE_CARRIER = 1;
const SUITE_X25519 = 1;
const NO_FLAGS = 0;
const SIGNATURE_LENGTH = 64;
const TAG_LENGTH = 16;
// 4096 slots and a full message stay below it; parsing cost is linear in the length.
const MAX_TEXT_CHARACTERS = 262_144;

/**
 * Signs a message, encrypts it for the recipients and gives the text to send.
 * @param recipients the encryption keys of all recipient cards, the sender's own included
 * @param random gives the message key and the nonce
 * @throws EncryptionError `INVALID_ARGUMENT`, `TOO_MANY_RECIPIENTS`
 */
export async function sealMessage(
  message: SignedMessage,
  signingKey: SigningKey,
  recipients: readonly Bytes[],
  ephemeral: Ephemeral,
  random: RandomSource,
): Promise<string> {
  const messageKey = random(32);
  const nonce = random(16);
  const slots = await sealSlots(messageKey, nonce, ephemeral, recipients);
  const header = concat(
    Uint8Array.of(VERSION, TYPE_MESSAGE_CARRIER, SUITE_X25519, NO_FLAGS),
    nonce,
    ephemeral.key.publicKey,
    uint(slots.length, 2),
    ...slots,
  );
  const headerHash = hash('header', header);
  const toBeSigned = encodeMessage(message);
  // The signature covers the header, hence every slot: nobody can sign for other recipients.
  const signature = await sign(signingKey, 'message', headerHash, toBeSigned);
  const { key, commitment } = deriveKeys(messageKey, headerHash);
  const associated = concat(headerHash, commitment);
  const ciphertext = encryptOnce(key, pad(concat(signature, toBeSigned)), associated);
  return PREFIX + base64url.encode(concat(header, commitment, ciphertext));
}

// The commitment makes the message key the only one that opens the envelope: without it one
// ciphertext can open to two plaintexts ("Partitioning Oracle Attacks", Len et al., 2021).
function deriveKeys(messageKey: Bytes, headerHash: Bytes): { key: Bytes; commitment: Bytes } {
  const both = expandKey(extractKey('message', messageKey), 'key', [headerHash], 64);
  return { key: both.slice(0, 32), commitment: both.slice(32) };
}

/** Who reads, and what Twilio claims about the message. */
export interface MessageReader {
  /** The channel that Twilio delivered the message in. */
  readonly channelSid: ChannelSid;
  /** The author that Twilio names. */
  readonly author: string;
  readonly opener: SlotOpener;
  /** The checked and approved card of this id. Its error is passed on. */
  findCard(id: CardId): Promise<Card>;
}

/** A message whose every check passed. */
export interface VerifiedMessage {
  readonly sender: Card;
  readonly message: SignedMessage;
  readonly content: Content;
  /** A hash of all the envelope's bytes, hexadecimal: tells a copy from another envelope. */
  readonly digest: string;
  /** The hexadecimal ephemeral key and the slot key, for the reader's {@link SlotOpener}. */
  readonly ephemeralKey: string;
  readonly slotKey: Bytes;
}

/**
 * Opens a message and verifies it; nothing comes out before everything is checked.
 * @returns null when no slot is for this reader
 * @throws EncryptionError with a {@link RejectionCode}, or what `findCard` throws
 */
export async function openMessage(
  text: string,
  reader: MessageReader,
): Promise<VerifiedMessage | null> {
  const envelope = parseEnvelope(text);
  const { nonce, ephemeralKey, slots, headerHash, commitment } = envelope;
  const candidates = await openSlots(slots, nonce, ephemeralKey, reader.opener).catch(
    (cause: unknown) => {
      throw rejected('MALFORMED', 'its ephemeral key is not valid', cause);
    },
  );
  if (candidates === null) return null;

  const keys = candidates.messageKeys
    .map((messageKey) => deriveKeys(messageKey, headerHash))
    .find((derived) => equal(derived.commitment, commitment));
  if (!keys) throw rejected('COMMITMENT_MISMATCH', 'its header, a slot or commitment was changed');
  const padded = decryptOnce(keys.key, envelope.ciphertext, concat(headerHash, commitment));
  if (!padded) throw rejected('DECRYPTION_FAILED', 'its ciphertext was changed');

  const { signature, toBeSigned, message } = readPlaintext(padded);
  const sender = await reader.findCard(message.senderCardId);
  if (!(await verify(sender.signingKey, 'message', signature, headerHash, toBeSigned))) {
    throw rejected('BAD_SIGNATURE', 'the card it names did not sign it for these recipients');
  }
  checkContext(message, sender.identity, reader);
  const content = decodeContent(message.content);
  if (!content) throw rejected('MALFORMED', 'its content is not canonical');
  return {
    sender,
    message,
    content,
    digest: hex.encode(hash('envelope', utf8(text))),
    ephemeralKey: hex.encode(ephemeralKey),
    slotKey: candidates.slotKey,
  };
}

function checkContext(message: SignedMessage, sender: Identity, reader: MessageReader): void {
  if (message.channelSid !== reader.channelSid) {
    throw rejected('WRONG_CHANNEL', 'it was written for another channel');
  }
  if (sender !== reader.author) {
    throw rejected('WRONG_AUTHOR', "Twilio's author is not the identity that signed it");
  }
}

function readPlaintext(padded: Bytes): {
  signature: Bytes;
  toBeSigned: Bytes;
  message: SignedMessage;
} {
  const signature = padded.slice(0, SIGNATURE_LENGTH);
  const decoded = decodeMessage(padded.slice(SIGNATURE_LENGTH));
  const end = SIGNATURE_LENGTH + (decoded?.length ?? 0);
  if (!decoded || !isPadded(padded, end)) throw rejected('MALFORMED', 'its plaintext is malformed');
  return { signature, toBeSigned: padded.slice(SIGNATURE_LENGTH, end), message: decoded.message };
}

interface Envelope {
  readonly nonce: Bytes;
  readonly ephemeralKey: Bytes;
  readonly slots: Bytes;
  readonly headerHash: Bytes;
  readonly commitment: Bytes;
  readonly ciphertext: Bytes;
}

function parseEnvelope(text: string): Envelope {
  if (!text.startsWith(PREFIX)) {
    if (/^e2e[0-9]+\./.test(text)) throw rejected('UNSUPPORTED_VERSION', 'its version is newer');
    throw rejected('PLAINTEXT', 'it is not encrypted');
  }
  const bytes = text.length <= MAX_TEXT_CHARACTERS ? base64url.decode(text.slice(5)) : null;
  if (!bytes) throw rejected('MALFORMED', 'it is too long or not base64url');
  const reader = byteReader(bytes);
  try {
    const [version, type, suite, flags] = [
      reader.uint(1),
      reader.uint(1),
      reader.uint(1),
      reader.uint(1),
    ];
    if (version !== VERSION || type !== TYPE_MESSAGE_CARRIER || suite !== SUITE_X25519) {
      throw rejected('UNSUPPORTED_VERSION', 'its version, type or suite is not known');
    }
    const nonce = reader.take(16);
    const ephemeralKey = reader.take(32);
    const count = reader.uint(2);
    if (flags !== NO_FLAGS || count < 1 || count > MAX_SLOTS) throw new RangeError();
    const slots = reader.take(count * SLOT_LENGTH);
    const headerHash = hash('header', bytes.subarray(0, reader.offset));
    const commitment = reader.take(32);
    const ciphertext = reader.rest();
    if (ciphertext.length < SIGNATURE_LENGTH + TAG_LENGTH) throw new RangeError();
    return { nonce, ephemeralKey, slots, headerHash, commitment, ciphertext };
  } catch (cause) {
    if (cause instanceof EncryptionError) throw cause;
    throw rejected('MALFORMED', 'its header is malformed', cause);
  }
}

function rejected(code: RejectionCode, why: string, cause?: unknown): EncryptionError {
  return new EncryptionError(code, `The message was rejected: ${why}.`, { cause });
}
