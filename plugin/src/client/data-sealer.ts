/** What a key pair of the low-level API is for: sign and encrypt, decrypt and verify. */
import { EncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import type { AgreementKey, SigningKey } from '../protocol/curves.ts';
import { base64, hex, utf8, type Bytes, type RandomSource } from '../protocol/primitives.ts';
import { openData, sealData } from '../protocol/sealed-data.ts';
import { openStream, sealStream } from '../protocol/sealed-stream.ts';
import { createEphemeral, x25519Slots } from '../protocol/slot.ts';
import type { SlotSealer } from '../protocol/slot-parts.ts';
import { requireChecked } from './checked-cards.ts';
import { openedBytes, sealedBytes, type OpenedBytes, type SealedBytes } from './data-bytes.ts';

/** The private halves of a key pair. */
export interface PrivateKeys {
  readonly signingKey: SigningKey;
  readonly encryptionKey: AgreementKey;
}

/** Seals and opens data with one key pair. */
export interface DataSealer {
  /**
   * Signs data with this key and encrypts it for the holders of these cards, and nobody else: give
   * a card of your own to be able to read it too. Text is encoded in UTF-8. For a stream, the result
   * is one as well, which shows its length to 64 KiB.
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_CONTENT` for text with lone surrogates,
   * `MESSAGE_TOO_LARGE` over 64 MiB (not of a stream), `TOO_MANY_RECIPIENTS`
   */
  signThenEncrypt(data: string | Uint8Array, cards: Card | readonly Card[]): Promise<SealedBytes>;
  signThenEncrypt(
    data: ReadableStream<Uint8Array>,
    cards: Card | readonly Card[],
  ): Promise<ReadableStream<Bytes>>;
  /**
   * Decrypts what was sealed for this key and verifies that the holder of one of these cards signed
   * it, for exactly its recipients. Gives nothing unverified. Of a stream, each piece that comes out
   * is the sender's; that it is complete is known only when it ends without an error.
   * @param sealed bytes, their base64, or the stream that `signThenEncrypt` made of a stream
   * @param senders the cards of whom it may be from
   * @throws EncryptionError `INVALID_ARGUMENT`, `NOT_ADDRESSED`, `UNSUPPORTED_VERSION`,
   * `MALFORMED`, `COMMITMENT_MISMATCH`, `DECRYPTION_FAILED`, `BAD_SIGNATURE`
   */
  decryptThenVerify(
    sealed: string | Uint8Array,
    senders: Card | readonly Card[],
  ): Promise<OpenedBytes>;
  decryptThenVerify(
    sealed: ReadableStream<Uint8Array>,
    senders: Card | readonly Card[],
  ): Promise<ReadableStream<Bytes>>;
}

type Stream = ReadableStream<Uint8Array>;
type Cards = Card | readonly Card[];

/**
 * The sealer of a key pair.
 * @param checkOpen throws when nothing may be done any more
 */
export function dataSealer(
  { signingKey, encryptionKey }: PrivateKeys,
  random: RandomSource,
  checkOpen: () => void,
): DataSealer {
  // Slot keys are not kept: no ephemeral key comes twice.
  const opener = { key: encryptionKey, slotKeys: new Map<string, Bytes>() };

  function signThenEncrypt(data: string | Uint8Array, cards: Cards): Promise<SealedBytes>;
  function signThenEncrypt(data: Stream, cards: Cards): Promise<ReadableStream<Bytes>>;
  async function signThenEncrypt(
    data: string | Uint8Array | Stream,
    cards: Cards,
  ): Promise<SealedBytes | ReadableStream<Bytes>> {
    checkOpen();
    const slots = slotsFor(cards, random);
    if (data instanceof ReadableStream) return sealStream(data, signingKey, await slots, random);
    // Copied before anything is awaited: the caller may go on to use the memory.
    const content = bytesOf(data);
    return sealedBytes((await sealData('data', content, signingKey, await slots, random)).bytes);
  }

  function decryptThenVerify(sealed: string | Uint8Array, from: Cards): Promise<OpenedBytes>;
  function decryptThenVerify(sealed: Stream, from: Cards): Promise<ReadableStream<Bytes>>;
  async function decryptThenVerify(
    sealed: string | Uint8Array | Stream,
    from: Cards,
  ): Promise<OpenedBytes | ReadableStream<Bytes>> {
    checkOpen();
    const senders = requireChecked(from).map((card) => card.signingKey);
    if (sealed instanceof ReadableStream) {
      return addressed(await openStream(sealed, opener, senders));
    }
    const opened = await openData('data', sealedBytesOf(sealed), opener, senders);
    return openedBytes(addressed(opened).content);
  }

  return { signThenEncrypt, decryptThenVerify };
}

// Under an ephemeral key of their own: whoever learns it can read this one envelope.
async function slotsFor(cards: Cards, random: RandomSource): Promise<SlotSealer> {
  // By key: a key gets one slot, however many cards have it.
  const keys = requireChecked(cards).map(({ encryptionKey }) => encryptionKey);
  const distinct = new Map(keys.map((key) => [hex.encode(key), key]));
  return x25519Slots(await createEphemeral(random), [...distinct.values()]);
}

function bytesOf(data: unknown): Bytes {
  if (data instanceof Uint8Array) return new Uint8Array(data);
  if (typeof data !== 'string') {
    throw new EncryptionError('INVALID_ARGUMENT', 'Give text, a Uint8Array or a ReadableStream.');
  }
  if (data.isWellFormed()) return utf8(data);
  throw new EncryptionError('INVALID_CONTENT', 'The text has lone surrogates.');
}

function sealedBytesOf(sealed: unknown): Bytes {
  if (sealed instanceof Uint8Array) return new Uint8Array(sealed);
  const bytes = typeof sealed === 'string' ? base64.decode(sealed) : null;
  if (bytes) return bytes;
  throw new EncryptionError('MALFORMED', 'Sealed data is bytes, their base64, or a stream.');
}

function addressed<T>(opened: T | null): T {
  if (opened !== null) return opened;
  throw new EncryptionError('NOT_ADDRESSED', 'This was not encrypted for this key.');
}
