/** Messages in channels: envelope.md and session.md. */
import { base64url, expand, extract, Refused, require, utf8, type Reader } from './bytes.ts';
import type { Card } from './card.ts';
import { decrypt, openSlots, parseEnvelope, type Envelope, type ReaderKeys } from './envelope.ts';
import { canonical, isName, isText, members, type Json } from './json.ts';

/** A session that the reader has. */
export interface Session {
  readonly channelSid: string;
  readonly senderCardId: string;
  readonly sessionId: string;
  readonly messageKey: string;
  readonly suite: number;
}

/** Who reads, and what Twilio says of the message. */
export interface Context extends ReaderKeys {
  readonly channelSid: string;
  readonly author: string;
  readonly session: Session | undefined;
  /** The checked and approved card of this id; refused as CARD_INVALID. */
  readonly findCard: (id: string) => Card;
}

/** Opens and verifies a message, in the order that the specification says. */
export function openMessage(text: string, context: Context) {
  const envelope = parseText(text);
  const { type, suite, headerHash } = envelope;
  const { messageKey, reader, isPadded, isSignedBy } = decrypt(
    'message',
    envelope,
    messageKeys(envelope, context),
  );
  const signed = readSigned(reader);
  require(isPadded(), 'MALFORMED');
  const { channelSid, senderCardId, kind } = signed;
  const sender = context.findCard(senderCardId);
  require(isSignedBy(sender.signingKey), 'BAD_SIGNATURE');
  require(channelSid === context.channelSid, 'WRONG_CHANNEL');
  require(sender.identity === context.author, 'WRONG_AUTHOR');
  require(type !== 4 && (type === 3) === (kind === 3), 'MALFORMED');
  if (type === 2) {
    require(context.session?.senderCardId === senderCardId, 'BAD_SIGNATURE');
    require(context.session.channelSid === channelSid, 'MALFORMED');
    require(context.session.suite === suite, 'MALFORMED');
  }
  require(kind === 3 || openContent(signed.content) !== null, 'MALFORMED');
  const session =
    kind === 3 ? sessionOf(envelope, channelSid, senderCardId, messageKey) : undefined;
  return {
    type,
    suite,
    headerHash: headerHash.toString('hex'),
    messageKey: messageKey.toString('hex'),
    kind,
    senderCardId,
    messageId: signed.messageId,
    target: signed.target,
    sequence: signed.sequence,
    sentAt: signed.sentAt,
    content: signed.content.toString('utf8'),
    session,
  };
}

function parseText(text: string): Envelope {
  if (!text.startsWith('e2e1.')) {
    throw new Refused(/^e2e[0-9]+\./.test(text) ? 'UNSUPPORTED_VERSION' : 'PLAINTEXT');
  }
  // What travels as the file of a key message may be longer.
  require(text.length <= 262_144, 'MALFORMED');
  const bytes = base64url(text.slice('e2e1.'.length));
  require(bytes !== null, 'MALFORMED');
  return parseEnvelope(bytes);
}

function messageKeys(envelope: Envelope, context: Context): readonly Buffer[] {
  if (envelope.type !== 2) return openSlots(envelope, context);
  require(context.session !== undefined, 'KEY_MISSING');
  return [Buffer.from(context.session.messageKey, 'hex')];
}

function readSigned(reader: Reader) {
  const channelSid = utf8(reader.take(reader.uint(1))) ?? '';
  require(/^[0-9A-Za-z]{1,64}$/.test(channelSid), 'MALFORMED');
  const senderCardId = reader.take(32).toString('hex');
  const messageId = reader.take(16).toString('hex');
  const kind = reader.uint(1);
  require(kind >= 1 && kind <= 3, 'MALFORMED');
  const target = kind === 2 ? readTarget(reader) : undefined;
  const sequence = reader.uint(8);
  const sentAt = reader.uint(8);
  readHead(reader);
  const content = reader.take(reader.uint(4));
  require((sequence === 0) === (kind === 2) && sentAt <= 8.64e15, 'MALFORMED');
  require(kind !== 3 || content.length === 0, 'MALFORMED');
  return { channelSid, senderCardId, messageId, kind, target, sequence, sentAt, content };
}

// Who signed it is for those who know the log's key: see log.md.
function readHead(reader: Reader): void {
  reader.uint(8);
  reader.take(32);
  require(reader.uint(8) <= 8.64e15, 'MALFORMED');
  reader.take(64);
}

function readTarget(reader: Reader) {
  const cardId = reader.take(32).toString('hex');
  const messageId = reader.take(16).toString('hex');
  const [sequence, revision] = [reader.uint(8), reader.uint(4)];
  require(sequence > 0 && revision > 0, 'MALFORMED');
  return { cardId, messageId, sequence, revision };
}

function sessionOf(
  { suite, headerHash }: Envelope,
  channelSid: string,
  senderCardId: string,
  messageKey: Buffer,
): Session {
  const info = [headerHash, Buffer.from(senderCardId, 'hex')];
  const sessionId = expand(extract('session', messageKey), 'session', info, 16).toString('hex');
  return { channelSid, senderCardId, sessionId, messageKey: messageKey.toString('hex'), suite };
}

/** The value of a message's content; null when it is not in its one form. */
export function openContent(bytes: Uint8Array): Json {
  const json = canonical(utf8(bytes));
  const content = members(json, ['body', 'attributes', 'subject', 'media']);
  if (json === undefined || !content || !isNested(json, 33)) return null;
  const { body = '', subject = '', media } = content;
  if (typeof body !== 'string' || typeof subject !== 'string') return null;
  if (media === undefined) return json;
  const list = Array.isArray(media) && media.length >= 1 && media.length <= 32 ? media : [null];
  return list.every(isFile) ? json : null;
}

/** Objects and lists at most so deep, all texts well-formed, and no member called __proto__. */
function isNested(value: Json, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(
    ([name, member]) => name.isWellFormed() && name !== '__proto__' && isNested(member, depth - 1),
  );
}

function isFile(value: Json): boolean {
  const file = members(value, ['key', 'size', 'hash', 'type', 'name']);
  if (!file) return false;
  const { key, size, hash, type, name } = file;
  return (
    is32Bytes(key) &&
    typeof size === 'number' &&
    Number.isInteger(size) &&
    size >= 0 &&
    size <= 2 ** 40 &&
    is32Bytes(hash) &&
    // Printable ASCII, and single spaces inside.
    matches(type, /^[!-~]+( [!-~]+)*$/) &&
    isText(type, 255) &&
    (name === undefined || isFileName(name))
  );
}

function isFileName(name: Json): boolean {
  return isName(name) && !/[/\\]/.test(name) && name !== '.' && name !== '..';
}

function matches(value: Json | undefined, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function is32Bytes(value: Json | undefined): boolean {
  return typeof value === 'string' && base64url(value)?.length === 32;
}
