/** The library against the vectors of the specification, on every back end. */
import { sha256 } from '@noble/hashes/sha2.js';
import { expect } from 'vitest';
import type {
  CardCase,
  ContentCase,
  EnvelopeFile,
  MediaCase,
  MessageCase,
  MessageVector,
  PaddingCase,
  PartsFile,
  SafetyNumberCase,
  SafetyNumberSideVector,
  SealedDataCase,
  SealedStreamCase,
  SessionVector,
  StateRecordCase,
  VectorCase,
} from '../../../spec/vector-files.ts';
import {
  base64url,
  checkApproval,
  compareSafetyNumbers,
  curves,
  decryptMedia,
  EncryptionError,
  importCard,
  openData,
  openMessage,
  openStream,
  parseCardId,
  parseChannelSid,
  parseEnvelope,
  parseIdentity,
  safetyNumber,
  xwing,
  type Bytes,
  type Card,
  type CardId,
  type SafetyNumberSide,
  type Session,
  type SlotOpener,
  type VerifiedMessage,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { decodeContent } from '../../src/protocol/content.ts';
import { isPadded, paddedLength } from '../../src/protocol/padding.ts';
import { concat, hex, utf8, utf8Text } from '../../src/protocol/primitives.ts';
import { deriveStateKey, openStateRecord } from '../../src/protocol/state-record.ts';
import { bytes, fromBase64url, vectors } from './vector-runner.ts';

vectors<PaddingCase>(
  'padding',
  (one) => {
    if (one.bytes === undefined) return paddedLength(one.length);
    if (isPadded(bytes(one.bytes), one.length)) return undefined;
    throw new EncryptionError('MALFORMED', 'Not padded.');
  },
  (one) => one.padded,
);

vectors<ContentCase>(
  'content',
  (one) => {
    const content = decodeContent(one.text === undefined ? bytes(one.bytes ?? '') : utf8(one.text));
    if (!content) throw new EncryptionError('MALFORMED', 'Not canonical.');
    const media = content.media?.map((file) => ({
      ...file,
      key: base64url.encode(file.key),
      hash: base64url.encode(file.hash),
    }));
    return { ...content, ...(media && { media }) };
  },
  (one) => one.value,
);

vectors<CardCase>(
  'card',
  async (one) => {
    const card = await importCard(one.export);
    if (one.appKeys) await checkApproval(card, await verifyingKeys(one.appKeys));
    const { id, snapshot, identity, createdAt, device, previousCardId, fields } = card;
    return {
      id,
      snapshot: utf8Text(snapshot),
      identity,
      signingKey: hex.encode(card.signingKey.publicKey),
      encryptionKey: hex.encode(card.encryptionKey),
      ...(card.pqEncryptionKey && { pqEncryptionKey: hex.encode(card.pqEncryptionKey) }),
      createdAt,
      ...(device !== undefined && { device }),
      ...(previousCardId && { previousCardId }),
      ...(fields && { fields: Object.entries(fields) }),
      signers: card.signatures.map(({ signer }) => signer),
    };
  },
  (one) => one.card,
);

async function verifyingKeys(keys: readonly string[]): Promise<readonly VerifyingKey[]> {
  const backEnd = await curves();
  return Promise.all(keys.map((key) => backEnd.importVerifyingKey(bytes(key))));
}

async function openerOf(file: EnvelopeFile<VectorCase>, name: string): Promise<SlotOpener> {
  const { encryptionSecret = '', pqSeed } = file.people[name] ?? {};
  const key = await (await curves()).importAgreementKey(bytes(encryptionSecret));
  const pqKey = pqSeed === undefined ? null : await (await xwing()).importKey(bytes(pqSeed));
  return { key, slotKeys: new Map(), ...(pqKey && { pqKey }) };
}

async function findCard(file: EnvelopeFile<VectorCase>, id: CardId): Promise<Card> {
  for (const { card: exported } of Object.values(file.people)) {
    const card = await importCard(exported);
    if (card.id !== id) continue;
    await checkApproval(card, await verifyingKeys([file.appKey]));
    return card;
  }
  throw new EncryptionError('CARD_INVALID', 'There is no such card.');
}

function sessionOf({ suite, ...texts }: SessionVector): Session {
  return {
    channelSid: parseChannelSid(texts.channelSid),
    senderCardId: parseCardId(texts.senderCardId),
    sessionId: bytes(texts.sessionId),
    messageKey: bytes(texts.messageKey),
    suite,
  };
}

/** What a message says, and what is known of its envelope. */
function messageOf(
  one: MessageCase,
  { sender, message, content, suite, session }: VerifiedMessage,
): Omit<MessageVector, 'messageKey'> {
  const { kind, senderCardId, messageId, sentAt } = message;
  expect(sender.id).toBe(senderCardId);
  const { type, headerHash } = parseEnvelope(one.text);
  const text = utf8Text(message.content) ?? '';
  expect(kind === 'key' ? {} : JSON.parse(text)).toEqual(content);
  return {
    type: { carrier: 1, follower: 2, key: 3, sealed: 4 }[type],
    suite,
    headerHash: hex.encode(headerHash),
    kind: { message: 1, edit: 2, key: 3 }[kind],
    senderCardId,
    messageId,
    ...(message.kind === 'edit' && { target: message.target }),
    sequence: message.kind === 'edit' ? 0 : message.sequence,
    sentAt,
    content: text,
    ...(session && {
      session: {
        ...session,
        sessionId: hex.encode(session.sessionId),
        messageKey: hex.encode(session.messageKey),
      },
    }),
  };
}

for (const name of ['carrier', 'carrier-suite-2', 'key-message', 'follower', 'edit']) {
  vectors<MessageCase>(
    name,
    async (one, file) => {
      const envelope = parseEnvelope(one.text);
      const opened = await openMessage(envelope, {
        channelSid: parseChannelSid(one.channelSid),
        author: one.author,
        opener: await openerOf(file, one.reader),
        ...(one.session && { session: sessionOf(one.session) }),
        findCard: (id) => findCard(file, id),
      });
      if (!opened) throw new EncryptionError('NOT_ADDRESSED', 'Nothing to open.');
      return messageOf(one, opened);
    },
    // What the message key was does not come out.
    ({ message }) => message && { ...message, messageKey: undefined },
  );
}

vectors<SealedDataCase>(
  'sealed-data',
  async (one, file) => {
    const opener = await openerOf(file, one.reader);
    const senders = await verifyingKeys(one.senders);
    const opened = await openData(one.mode, fromBase64url(one.envelope), opener, senders);
    if (!opened) throw new EncryptionError('NOT_ADDRESSED', 'It is for somebody else.');
    const { content, senderKey } = opened;
    return { content: hex.encode(content), senderKey: hex.encode(senderKey.publicKey) };
  },
  (one) => one.data,
);

vectors<SealedStreamCase>(
  'sealed-stream',
  async (one, file) => {
    const opener = await openerOf(file, one.reader);
    const senders = await verifyingKeys(one.senders);
    const opened = await openStream(streamOf(one.stream, file), opener, senders);
    if (!opened) throw new EncryptionError('NOT_ADDRESSED', 'It is for somebody else.');
    return digestOf(opened.content);
  },
  (one) => one.data,
);

vectors<MediaCase>(
  'media',
  (one, file) => {
    const { ciphertext, key, size, hash } = one;
    const keys = { key: bytes(key), size, hash: bytes(hash) };
    return digestOf(decryptMedia(streamOf(ciphertext, file), keys));
  },
  (one) => one.data,
);

/** The parts of these names in a row. */
function streamOf(
  names: readonly string[],
  { parts }: PartsFile<VectorCase>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const name of names) controller.enqueue(fromBase64url(parts[name] ?? '!'));
      controller.close();
    },
  });
}

async function digestOf(
  stream: ReadableStream<Bytes>,
): Promise<{ readonly length: number; readonly sha256: string }> {
  const reader = stream.getReader();
  const all: Bytes[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    all.push(value);
  }
  const data = concat(...all);
  return { length: data.length, sha256: hex.encode(new Uint8Array(sha256(data))) };
}

vectors<StateRecordCase>(
  'state-record',
  ({ privateKeys, recordName, record }) => {
    const key = deriveStateKey(bytes(privateKeys));
    return hex.encode(openStateRecord(key, recordName, bytes(record)));
  },
  (one) => one.plaintext,
);

vectors<SafetyNumberCase>(
  'safety-number',
  async ({ own, theirs, qr = '', scanned = '' }) => {
    if (!own || !theirs) return compareSafetyNumbers(qr, scanned);
    return safetyNumber(sideOf(own), sideOf(theirs));
  },
  ({ safetyNumber: expected, comparison }) => {
    if (!expected) return comparison;
    const { digits, qr, devices } = expected;
    return { digits, qr, devices };
  },
);

function sideOf({ identity, signingKeys }: SafetyNumberSideVector): SafetyNumberSide {
  return { identity: parseIdentity(identity), signingKeys: signingKeys.map(bytes) };
}
