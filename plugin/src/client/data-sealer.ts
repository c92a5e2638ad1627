/** What a key pair of the low-level API is for: sign and encrypt, decrypt and verify. */
import { EncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import type { AgreementKey, SigningKey } from '../protocol/curves.ts';
import type { KemKey } from '../protocol/kem.ts';
import { xwing } from '../protocol/xwing.ts';
import type { Identity } from '../protocol/identifiers.ts';
import { base64, hex, utf8, type Bytes, type RandomSource } from '../protocol/primitives.ts';
import { openData, sealData } from '../protocol/sealed-data.ts';
import { openStream, sealStream } from '../protocol/sealed-stream.ts';
import { createEphemeral, x25519Slots } from '../protocol/slot.ts';
import type { SlotSealer } from '../protocol/slot-parts.ts';
import { xwingSlots } from '../protocol/slot-xwing.ts';
import { requireChecked } from './checked-cards.ts';
import { openedBytes, sealedBytes, type OpenedBytes, type SealedBytes } from './data-bytes.ts';
import { encryptionKeyOf, suiteOf } from './suite.ts';

/** The private halves of a key pair. */
export interface PrivateKeys {
  readonly signingKey: SigningKey;
  readonly encryptionKey: AgreementKey;
  /** Of suite 2. */
  readonly pqEncryptionKey?: KemKey;
}

/** Data that was decrypted and verified, and who signed it. */
export interface Identified<Data, Sender extends Card = Card> {
  readonly data: Data;
  /**
   * The one of the given cards that holds the key that signed. Data is signed by a key and not by a
   * card: if several of them hold this key, it is the first.
   */
  readonly sender: Sender;
}

/** Seals and opens data with one key pair. */
export interface DataSealer {
  /**
   * Signs data with this key and encrypts it for the holders of these cards, and nobody else: give
   * a card of your own to be able to read it too. Text is encoded in UTF-8. For a stream, the result
   * is one as well, which shows its length to 64 KiB.
   *
   * If this key or one of the cards has a key of suite 2, it is suite 2: never does such a card get
   * less than it offers because of who else is named. Cards without are named by the error then.
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_CONTENT` for text with lone surrogates,
   * `MESSAGE_TOO_LARGE` over 64 MiB (not of a stream), `TOO_MANY_RECIPIENTS`,
   * `MEMBER_WITHOUT_POST_QUANTUM_KEY`, `POST_QUANTUM_UNAVAILABLE`
   */
  signThenEncrypt(data: string | Uint8Array, cards: Card | readonly Card[]): Promise<SealedBytes>;
  signThenEncrypt(
    data: ReadableStream<Uint8Array>,
    cards: Card | readonly Card[],
  ): Promise<ReadableStream<Bytes>>;
  /**
   * Decrypts what was sealed for this key and verifies that the holder of one of these cards signed
   * it, for exactly its recipients. Gives nothing unverified. Of a stream, each piece that comes out
   * is the sender's; that it is complete is known only when it ends without an error. Which of the
   * cards it was, {@link DataSealer.decryptThenIdentify} says.
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
  /**
   * The same, and says which of these cards signed it. Errors as {@link DataSealer.decryptThenVerify}.
   */
  decryptThenIdentify<Sender extends Card>(
    sealed: string | Uint8Array,
    senders: Sender | readonly Sender[],
  ): Promise<Identified<OpenedBytes, Sender>>;
  decryptThenIdentify<Sender extends Card>(
    sealed: ReadableStream<Uint8Array>,
    senders: Sender | readonly Sender[],
  ): Promise<Identified<ReadableStream<Bytes>, Sender>>;
}

type Stream = ReadableStream<Uint8Array>;
type Cards = Card | readonly Card[];

/**
 * The sealer of a key pair.
 * @param checkOpen throws when nothing may be done any more
 */
export function dataSealer(
  { signingKey, encryptionKey, pqEncryptionKey: pqKey }: PrivateKeys,
  random: RandomSource,
  checkOpen: () => void,
): DataSealer {
  // Slot keys are not kept: no ephemeral key comes twice.
  const opener = {
    key: encryptionKey,
    slotKeys: new Map<string, Bytes>(),
    ...(pqKey && { pqKey }),
  };

  function signThenEncrypt(data: string | Uint8Array, cards: Cards): Promise<SealedBytes>;
  function signThenEncrypt(data: Stream, cards: Cards): Promise<ReadableStream<Bytes>>;
  async function signThenEncrypt(
    data: string | Uint8Array | Stream,
    cards: Cards,
  ): Promise<SealedBytes | ReadableStream<Bytes>> {
    checkOpen();
    // Copied before anything is awaited: the caller may go on to use the memory.
    const content = data instanceof ReadableStream ? data : bytesOf(data);
    const slots = await slotsFor(cards, pqKey !== undefined, random);
    if (content instanceof ReadableStream) return sealStream(content, signingKey, slots, random);
    return sealedBytes((await sealData('data', content, signingKey, slots, random)).bytes);
  }

  function decryptThenVerify(sealed: string | Uint8Array, from: Cards): Promise<OpenedBytes>;
  function decryptThenVerify(sealed: Stream, from: Cards): Promise<ReadableStream<Bytes>>;
  async function decryptThenVerify(
    sealed: string | Uint8Array | Stream,
    from: Cards,
  ): Promise<OpenedBytes | ReadableStream<Bytes>> {
    return (await open(sealed, from)).data;
  }

  function decryptThenIdentify<Sender extends Card>(
    sealed: string | Uint8Array,
    from: Sender | readonly Sender[],
  ): Promise<Identified<OpenedBytes, Sender>>;
  function decryptThenIdentify<Sender extends Card>(
    sealed: Stream,
    from: Sender | readonly Sender[],
  ): Promise<Identified<ReadableStream<Bytes>, Sender>>;
  async function decryptThenIdentify<Sender extends Card>(
    sealed: string | Uint8Array | Stream,
    from: Sender | readonly Sender[],
  ): Promise<Identified<OpenedBytes | ReadableStream<Bytes>, Sender>> {
    const none: Sender[] = [];
    // Those that it is verified with: the caller's array may be another one afterwards.
    const senders = none.concat(from);
    const { data, by } = await open(sealed, senders);
    const sender = senders[by];
    if (!sender) throw new TypeError('The key that signed is of one of the given cards.');
    return { data, sender };
  }

  /** The data, and the place of its sender among the cards. */
  async function open(
    sealed: string | Uint8Array | Stream,
    from: Cards,
  ): Promise<{ readonly data: OpenedBytes | ReadableStream<Bytes>; readonly by: number }> {
    checkOpen();
    const senders = requireChecked(from).map((card) => card.signingKey);
    if (sealed instanceof ReadableStream) {
      const { content, senderKey } = addressed(await openStream(sealed, opener, senders));
      return { data: content, by: senders.indexOf(senderKey) };
    }
    const opened = addressed(await openData('data', sealedBytesOf(sealed), opener, senders));
    return { data: openedBytes(opened.content), by: senders.indexOf(opened.senderKey) };
  }

  return { signThenEncrypt, decryptThenVerify, decryptThenIdentify };
}

// In one suite for all: slots of both in one envelope there are not.
async function slotsFor(
  cards: Cards,
  postQuantum: boolean,
  random: RandomSource,
): Promise<SlotSealer> {
  const recipients = requireChecked(cards);
  const suite = postQuantum || recipients.some((card) => suiteOf(card) === 2) ? 2 : 1;
  // By key: a key gets one slot, however many cards have it.
  const distinct = new Map<string, Bytes>();
  const without = new Set<Identity>();
  for (const card of recipients) {
    const key = encryptionKeyOf(card, suite);
    if (key) distinct.set(hex.encode(key), key);
    else without.add(card.identity);
  }
  if (without.size > 0) throw withoutSuite([...without]);
  const keys = [...distinct.values()];
  if (suite === 2) return xwingSlots(await xwing(), keys, random);
  // Under an ephemeral key of their own: whoever learns it can read this one envelope.
  return x25519Slots(await createEphemeral(random), keys);
}

function withoutSuite(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'MEMBER_WITHOUT_POST_QUANTUM_KEY',
    `Not sealed: a card of ${identities.join(', ')} has no post-quantum key, and the key that seals or another card has one. Make their keys with postQuantum, or leave these cards out.`,
    { identities },
  );
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
