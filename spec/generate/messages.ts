/** How vectors of messages are made: honestly, through the library, or crafted. */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import {
  encodeContent,
  messageIdOf,
  parseEnvelope,
  sealFollower,
  sealMessage,
  type Bytes,
  type Session,
  type SignedMessage,
  type SigningKey,
  type SlotSealer,
  encodeHead,
  type LogHead,
} from 'twilio-chat-encryption/protocol';
import type { MessageCase, MessageVector, SessionVector } from '../vector-files.ts';
import { craft, padded, said, textOf, type HeaderParts, type SaidParts } from './craft.ts';
import { alice, bob, CHANNEL, idOf, SENT, slotsFor, watched, type Person } from './people.ts';
import { bytesOf, source } from './source.ts';

export const BODY = 'Hey Bob';
export const CONTENT = encodeContent({ body: BODY });
export const MESSAGE_ID = messageIdOf(bytesOf('message id', 16));
/** The message that edits replace. */
export const TARGET = {
  cardId: alice.card.id,
  messageId: messageIdOf(bytesOf('target', 16)),
  sequence: 3,
  revision: 2,
};

const KINDS = { message: 1, edit: 2, key: 3 } as const;
const TYPES = { carrier: 1, follower: 2, key: 3, sealed: 4 } as const;

/** What the sender saw of a log. That nobody signed it is found out by who knows the log's key. */
export const HEAD: LogHead = {
  size: 3,
  root: bytesOf('root of the log', 32),
  signedAt: SENT - 1000,
  signature: bytesOf('signature of the log', 64),
};

/** What all messages of the vectors say, by whoever sends them. */
export function common(sender: Person) {
  return {
    channelSid: CHANNEL,
    senderCardId: sender.card.id,
    messageId: MESSAGE_ID,
    sentAt: SENT,
    head: HEAD,
    content: CONTENT,
  };
}

/** A message of this sender. */
export function message(sender: Person, content = CONTENT, sequence = 1): SignedMessage {
  return { ...common(sender), kind: 'message', sequence, content };
}

/** A key message of this sender. */
export function keyMessage(sender: Person, sequence = 1): SignedMessage {
  return { ...common(sender), kind: 'key', sequence, content: new Uint8Array() };
}

/** An edit of {@link TARGET} by this sender. */
export function edit(sender: Person): SignedMessage {
  return { ...common(sender), kind: 'edit', target: TARGET };
}

/** Who reads a case, and what Twilio claims. */
export interface Claims {
  readonly reader?: string;
  readonly channelSid?: string;
  readonly author?: string;
  readonly session?: SessionVector;
}

/** A case with the claims that hold unless said otherwise. */
export function messageCase(
  name: string,
  result: string,
  text: string,
  claims: Claims = {},
): MessageCase {
  const { reader = 'bob', channelSid = CHANNEL, author = 'alice', session } = claims;
  return { name, result, text, channelSid, author, reader, ...(session && { session }) };
}

/** A session as files have it. */
export function sessionVector(session: Session): SessionVector {
  return {
    channelSid: session.channelSid,
    senderCardId: session.senderCardId,
    sessionId: bytesToHex(session.sessionId),
    messageKey: bytesToHex(session.messageKey),
    suite: session.suite,
  };
}

/** An envelope made by the library, and what is in it. */
export interface Sealed {
  readonly text: string;
  readonly bytes: Bytes;
  readonly message: MessageVector;
  readonly session?: Session;
}

function describe(
  text: string,
  signed: SignedMessage,
  messageKey: string,
  session?: Session,
): MessageVector {
  const envelope = parseEnvelope(text);
  return {
    type: TYPES[envelope.type],
    suite: envelope.suite,
    headerHash: bytesToHex(envelope.headerHash),
    messageKey,
    kind: KINDS[signed.kind],
    senderCardId: signed.senderCardId,
    messageId: signed.messageId,
    ...(signed.kind === 'edit' && { target: signed.target }),
    sequence: signed.kind === 'edit' ? 0 : signed.sequence,
    sentAt: signed.sentAt,
    content: decode(signed.content),
    ...(session && { session: sessionVector(session) }),
  };
}

/** Seals through the library; the name gives the randomness. */
export async function seal(
  name: string,
  signed: SignedMessage,
  slots?: SlotSealer,
  signingKey: SigningKey = alice.signingKey,
): Promise<Sealed> {
  const random = source(name);
  const seen = watched(slots ?? (await slotsFor([alice, bob], source(`${name}/slots`))));
  const { text, bytes, session } = await sealMessage(signed, signingKey, seen.slots, random);
  const described = describe(text, signed, seen.messageKey(), session);
  return { text, bytes, message: described, ...(session && { session }) };
}

/** Seals a follower through the library. */
export async function follow(
  name: string,
  session: Session,
  signed: SignedMessage,
  signingKey: SigningKey = alice.signingKey,
): Promise<Sealed> {
  const { text, bytes } = await sealFollower(signed, signingKey, session, 41, source(name));
  return { text, bytes, message: describe(text, signed, bytesToHex(session.messageKey)) };
}

/** What a crafted envelope deviates in. */
export interface Deviation {
  readonly header?: HeaderParts;
  /** Under which label keys are derived, and what the signature is for. */
  readonly purpose?: 'message' | 'sealed';
  readonly parts?: Partial<SaidParts>;
  /** Whose card it names. */
  readonly sender?: Person;
  readonly signer?: Person;
  /** Makes the signature, instead of the signer. */
  readonly sign?: (toSign: Bytes) => Bytes;
  /** What is in the place of the padded plaintext. */
  readonly plaintext?: (signature: Uint8Array, said: Uint8Array) => Uint8Array;
  /** The key that it is sealed under. */
  readonly messageKey?: Uint8Array;
  /** Who has slots. */
  readonly readers?: readonly Person[];
}

/** Crafts an envelope by the specification, but for one deviation. Alice to Bob otherwise. */
export async function crafted(name: string, deviation: Deviation = {}): Promise<Bytes> {
  return (await craftWhole(name, deviation)).bytes;
}

async function craftWhole(name: string, deviation: Deviation) {
  const { header = {}, signer = alice, readers = [alice, bob] } = deviation;
  const random = source(name);
  const m = deviation.messageKey ?? random(32);
  const slots = readers.map(({ card }) => ({
    publicKey: header.suite === 2 ? (card.pqEncryptionKey ?? new Uint8Array()) : card.encryptionKey,
    wraps: m,
  }));
  const made = craft({ slots, ...header }, random, deviation.purpose);
  const parts: SaidParts = {
    channelSid: CHANNEL,
    senderCardId: idOf((deviation.sender ?? alice).card.id),
    messageId: bytesOf('message id', 16),
    kind: 1,
    target: new Uint8Array(),
    sequence: 1n,
    sentAt: BigInt(SENT),
    head: encodeHead(HEAD),
    content: CONTENT,
    ...deviation.parts,
  };
  const words = said(parts);
  const toSign = made.toSign(words);
  const signature = deviation.sign?.(toSign) ?? (await signer.signingKey.sign(toSign));
  const plaintext =
    deviation.plaintext?.(signature, words) ?? padded(concatBytes(signature, words));
  const inside: MessageVector = {
    type: header.type ?? 1,
    suite: header.suite ?? 1,
    headerHash: bytesToHex(made.headerHash),
    messageKey: bytesToHex(m),
    kind: parts.kind,
    senderCardId: bytesToHex(parts.senderCardId),
    messageId: bytesToHex(parts.messageId),
    sequence: Number(parts.sequence),
    sentAt: Number(parts.sentAt),
    content: typeof parts.content === 'string' ? parts.content : decode(parts.content),
  };
  return { bytes: made.seal(m, plaintext), inside };
}

/** A case of a crafted envelope. */
export async function craftedCase(
  name: string,
  result: string,
  deviation: Deviation = {},
  claims: Claims = {},
): Promise<MessageCase> {
  const { bytes, inside } = await craftWhole(name, deviation);
  const made = messageCase(name, result, textOf(bytes), claims);
  return result === 'ok' ? { ...made, message: inside } : made;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
