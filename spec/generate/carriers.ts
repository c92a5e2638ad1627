/** Vectors of carriers, of both suites. */
import { concatBytes } from '@noble/hashes/utils.js';
import { base64 } from '@scure/base';
import { encodeContent, encodeHead } from 'twilio-chat-encryption/protocol';
import type { EnvelopeFile, MessageCase } from '../vector-files.ts';
import {
  bytesIn,
  flipped,
  littleEndian,
  oddSignature,
  padded,
  signedFor,
  textOf,
  uint,
  type SaidParts,
} from './craft.ts';
import {
  craftedCase,
  crafted,
  HEAD,
  message,
  messageCase,
  seal,
  type Claims,
  type Deviation,
  type Sealed,
} from './messages.ts';
import { alice, bob, carol, cast, idOf, OTHER_APP_KEY, OTHER_CHANNEL, person } from './people.ts';
import { bytesOf } from './source.ts';

const mallory = await person('mallory', { appKey: OTHER_APP_KEY });

function opened(name: string, { text, message: inside }: Sealed, claims: Claims = {}): MessageCase {
  return { ...messageCase(name, 'ok', text, claims), message: inside };
}

async function goodCarriers(): Promise<readonly MessageCase[]> {
  const first = await seal('carrier', message(alice));
  const every = encodeContent({
    body: 'Grüße 🎈',
    attributes: { mood: 'good', list: [1, null, { a: '\u0000' }] },
    subject: 'Knee',
  });
  // 64 bytes of signature and 216 around a content of 232 make 512.
  const full = encodeContent({ body: 'x'.repeat(512 - 64 - 216 - '{"body":""}'.length) });
  const more = encodeContent({ body: 'x'.repeat(512 - 64 - 216 - '{"body":""}'.length + 1) });
  return [
    opened('a message for Alice and Bob, read by Bob', first),
    opened('the same message, read by Alice', first, { reader: 'alice' }),
    opened('a message with all kinds of content', await seal('all content', message(alice, every))),
    opened('an empty content', await seal('no content', message(alice, encodeContent({})))),
    opened('a content that leaves nothing to pad', await seal('full', message(alice, full))),
    opened('a content of one byte more', await seal('more', message(alice, more))),
    opened(
      'a content of 9000 characters, padded to a Padmé size',
      await seal('long', message(alice, encodeContent({ body: 'ä'.repeat(9000) }))),
    ),
    opened(
      'the largest sequence and the last time',
      await seal('largest', {
        ...message(alice, undefined, Number.MAX_SAFE_INTEGER),
        sentAt: 8.64e15,
      }),
    ),
  ];
}

/** Whether a message reaches its reader at all. */
async function slotCases(): Promise<readonly MessageCase[]> {
  const { text } = await seal('carrier', message(alice));
  const m = bytesOf('marked');
  const wrong = { publicKey: bob.card.encryptionKey, wraps: new Uint8Array(32) };
  const right = { publicKey: bob.card.encryptionKey, wraps: m };
  const hers = { publicKey: carol.card.encryptionKey, wraps: bytesOf('for carol') };
  const slots = (...each: (typeof wrong)[]): Deviation => ({
    header: { slots: each },
    messageKey: m,
  });
  return [
    messageCase('no slot for Carol', 'NOT_ADDRESSED', text, { reader: 'carol' }),
    await craftedCase(
      'three wrong slots with Bob’s hint before the right one',
      'ok',
      slots(wrong, wrong, wrong, right),
    ),
    await craftedCase(
      'four wrong slots with Bob’s hint before the right one',
      'COMMITMENT_MISMATCH',
      slots(wrong, wrong, wrong, wrong, right),
    ),
    await craftedCase('two keys for two readers: the one', 'ok', slots(right, hers)),
    await craftedCase(
      'two keys for two readers: the other',
      'COMMITMENT_MISMATCH',
      slots(right, hers),
      { reader: 'carol' },
    ),
  ];
}

function textCases(text: string): readonly MessageCase[] {
  const bytes = bytesIn(text).fill(0xff, 24, 40);
  const raw = text.slice('e2e1.'.length);
  const last = raw.at(-1) ?? '';
  // Of 4n + 2 or 4n + 3 characters the last one has bits that belong to no byte.
  if (raw.length % 4 === 0) throw new Error('This text has no such bits.');
  const sloppy = String.fromCharCode(last.charCodeAt(0) + 1);
  return [
    messageCase('plaintext', 'PLAINTEXT', 'Hey Bob'),
    messageCase('no text', 'PLAINTEXT', ''),
    messageCase('the prefix in upper case', 'PLAINTEXT', `E2E1.${raw}`),
    messageCase('a space in front', 'PLAINTEXT', ` ${text}`),
    messageCase('the prefix without its dot', 'PLAINTEXT', `e2e1${raw}`),
    messageCase('a newer prefix', 'UNSUPPORTED_VERSION', `e2e2.${raw}`),
    messageCase('a much newer prefix', 'UNSUPPORTED_VERSION', `e2e10.${raw}`),
    messageCase('only the prefix', 'MALFORMED', 'e2e1.'),
    messageCase('a space behind', 'MALFORMED', `${text} `),
    messageCase('a line break inside', 'MALFORMED', `${text.slice(0, 80)}\n${text.slice(80)}`),
    messageCase('padded base64url', 'MALFORMED', `e2e1.${raw}=`),
    messageCase(
      'base64 instead of base64url',
      'MALFORMED',
      `e2e1.${base64.encode(bytes).replace(/=/g, '')}`,
    ),
    messageCase('bits behind the end', 'MALFORMED', text.slice(0, -1) + sloppy),
    messageCase('a length that base64url never has', 'MALFORMED', 'e2e1.AQEBA'),
    messageCase('over 262144 characters', 'MALFORMED', `e2e1.${'A'.repeat(262_140)}`),
  ];
}

function flippedCases(text: string): readonly MessageCase[] {
  const bytes = bytesIn(text);
  const end = 54 + 2 * 36;
  const parts: readonly (readonly [string, number, string, number?])[] = [
    ['version', 0, 'UNSUPPORTED_VERSION'],
    ['type, to one that there is not', 1, 'UNSUPPORTED_VERSION', 8],
    ['type, to key message', 1, 'COMMITMENT_MISMATCH', 2],
    ['type, to sealed data', 1, 'COMMITMENT_MISMATCH', 5],
    ['suite, to one that there is not', 2, 'UNSUPPORTED_VERSION', 4],
    ['flags', 3, 'MALFORMED'],
    ['nonce', 4, 'NOT_ADDRESSED'],
    ['ephemeral key', 20, 'COMMITMENT_MISMATCH'],
    ['ephemeral key, its highest bit', 51, 'MALFORMED', 0x80],
    ['hint of the reader', 54 + 36, 'NOT_ADDRESSED'],
    ['wrapped key of the reader', 54 + 36 + 4, 'COMMITMENT_MISMATCH'],
    ['hint of another', 54, 'COMMITMENT_MISMATCH'],
    ['wrapped key of another', 54 + 35, 'COMMITMENT_MISMATCH'],
    ['commitment', end, 'COMMITMENT_MISMATCH'],
    ['commitment, its last byte', end + 31, 'COMMITMENT_MISMATCH'],
    ['ciphertext', end + 32, 'DECRYPTION_FAILED'],
    ['tag', -1, 'DECRYPTION_FAILED'],
  ];
  return parts.map(([what, at, result, bits]) =>
    messageCase(`a flipped bit in the ${what}`, result, textOf(flipped(bytes, at, bits))),
  );
}

function cutCases(text: string): readonly MessageCase[] {
  const bytes = bytesIn(text);
  const cut = (length: number): string => textOf(bytes.slice(0, length));
  const end = 54 + 2 * 36;
  const withoutSlot = concatBytes(bytes.slice(0, 52), uint(1, 2), bytes.slice(54 + 36));
  const twice = concatBytes(
    bytes.slice(0, 52),
    uint(3, 2),
    bytes.slice(54, 54 + 36),
    bytes.slice(54),
  );
  return [
    messageCase('three bytes', 'MALFORMED', cut(3)),
    messageCase('only the nonce', 'MALFORMED', cut(20)),
    messageCase('cut in the slots', 'MALFORMED', cut(100)),
    messageCase('without a commitment', 'MALFORMED', cut(end)),
    messageCase('79 bytes of ciphertext', 'MALFORMED', cut(end + 32 + 79)),
    messageCase('80 bytes of ciphertext', 'DECRYPTION_FAILED', cut(end + 32 + 80)),
    messageCase('a byte less', 'DECRYPTION_FAILED', cut(bytes.length - 1)),
    messageCase('a byte more', 'DECRYPTION_FAILED', textOf(concatBytes(bytes, Uint8Array.of(0)))),
    messageCase('the slot of another taken out', 'COMMITMENT_MISMATCH', textOf(withoutSlot)),
    messageCase('a slot put in', 'COMMITMENT_MISMATCH', textOf(twice)),
  ];
}

async function headerCases(): Promise<readonly MessageCase[]> {
  const rest = (key: Uint8Array, count: number, slots: Uint8Array): Deviation => ({
    header: { rest: () => concatBytes(key, uint(count, 2), slots) },
  });
  const some = new Uint8Array(36);
  const e = alice.card.encryptionKey;
  const nobody = await craftedCase('no slots', 'MALFORMED', rest(e, 0, new Uint8Array()));
  const many = bytesOf('4097 slots', 16);
  const withE = async (what: string, key: Uint8Array): Promise<MessageCase> => {
    const bytes = await crafted(`E ${what}`);
    bytes.set(key, 20);
    return messageCase(`an ephemeral key ${what}`, 'MALFORMED', textOf(bytes));
  };
  const P = 2n ** 255n - 19n;
  return [
    nobody,
    await craftedCase('a count that the bytes do not reach', 'MALFORMED', rest(e, 4096, some)),
    messageCase(
      '4097 slots',
      'MALFORMED',
      textOf(
        concatBytes(
          Uint8Array.of(1, 1, 1, 0),
          many,
          e,
          uint(4097, 2),
          new Uint8Array(4097 * 36 + 200),
        ),
      ),
    ),
    await craftedCase(
      '4096 slots, none for the reader',
      'NOT_ADDRESSED',
      rest(e, 4096, new Uint8Array(4096 * 36)),
    ),
    await craftedCase('of version 0', 'UNSUPPORTED_VERSION', { header: { version: 0 } }),
    await craftedCase('of version 2', 'UNSUPPORTED_VERSION', { header: { version: 2 } }),
    await craftedCase('of type 0', 'UNSUPPORTED_VERSION', { header: { type: 0 } }),
    await craftedCase('of type 5', 'UNSUPPORTED_VERSION', { header: { type: 5 } }),
    await craftedCase('of suite 0', 'UNSUPPORTED_VERSION', { header: { suite: 0 } }),
    await craftedCase('of suite 3', 'UNSUPPORTED_VERSION', { header: { suite: 3 } }),
    await craftedCase('with a flag', 'MALFORMED', { header: { flags: 1 } }),
    await craftedCase('with the highest flag', 'MALFORMED', { header: { flags: 0x80 } }),
    await withE('of zeros', new Uint8Array(32)),
    await withE('of low order', littleEndian(1n)),
    await withE('that is p − 1, of low order', littleEndian(P - 1n)),
    await withE('that is not canonical', littleEndian(P + 9n)),
  ];
}

async function typeCases(): Promise<readonly MessageCase[]> {
  const kind = (value: number, content?: string): Partial<SaidParts> => ({
    kind: value,
    ...(content !== undefined && { content }),
  });
  return [
    await craftedCase('a message in the type of a key message', 'MALFORMED', {
      header: { type: 3 },
    }),
    await craftedCase('a key message in the type of a carrier', 'MALFORMED', {
      parts: kind(3, ''),
    }),
    await craftedCase('a message in the type of sealed data', 'MALFORMED', { header: { type: 4 } }),
    await craftedCase('a message under the keys of sealed data', 'COMMITMENT_MISMATCH', {
      header: { type: 4 },
      purpose: 'sealed',
    }),
    await craftedCase('a carrier under the keys of sealed data', 'COMMITMENT_MISMATCH', {
      purpose: 'sealed',
    }),
  ];
}

/** A head with a byte of its size or of its time replaced. */
function headWith(at: number, byte: number): Uint8Array {
  const head = encodeHead(HEAD);
  head[at] = byte;
  return head;
}

async function plaintextCases(): Promise<readonly MessageCase[]> {
  const plaintexts: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array])[] = [
    ['256 zeros more', (bytes) => padded(bytes, 256)],
    ['a zero more', (bytes) => padded(bytes, 1)],
    ['a zero less', (bytes) => padded(bytes).slice(0, -1)],
    ['no padding', (bytes) => bytes],
    ['a byte in the padding', (bytes) => padded(bytes).fill(1, bytes.length, bytes.length + 1)],
    ['a byte at its end', (bytes) => padded(bytes).fill(1, -1)],
    ['its message cut off', (bytes) => bytes.slice(0, 100)],
    ['only a signature', (bytes) => bytes.slice(0, 64)],
  ];
  const parts: readonly (readonly [string, Partial<SaidParts>])[] = [
    ['of kind 0', { kind: 0 }],
    ['of kind 4', { kind: 4 }],
    ['of kind 255', { kind: 255 }],
    ['with a head of 2^53 entries', { head: headWith(1, 32) }],
    ['with a head of a time over 8.64e15', { head: headWith(41, 31) }],
    ['with the sequence 0', { sequence: 0n }],
    ['with the sequence 2^53', { sequence: 2n ** 53n }],
    ['with the largest sequence', { sequence: 2n ** 64n - 1n }],
    ['with a time over 8.64e15', { sentAt: 8_640_000_000_000_001n }],
    ['with a time over 2^53', { sentAt: 2n ** 63n }],
    ['with no channel', { channelSid: '' }],
    ['with a channel that is no sid', { channelSid: 'CH/..' }],
    ['with a channel of 65 characters', { channelSid: 'C'.repeat(65) }],
    ['with a content that is longer than the plaintext', { contentLength: 0xffff_ffff }],
    ['with a content that is one byte longer', { contentLength: 15 }],
    ['with a target, but not of kind edit', { target: new Uint8Array(60) }],
    ['with no content', { content: '' }],
    ['with content in another spelling', { content: '{"body": "Hey"}' }],
    ['with two bodies', { content: '{"body":"a","body":"b"}' }],
    ['with a lone surrogate', { content: '{"body":"\\ud800"}' }],
    [
      'with content nested 33 deep',
      { content: `{"attributes":${'['.repeat(33)}${']'.repeat(33)}}` },
    ],
    ['with content that is not UTF-8', { content: Uint8Array.of(0x7b, 0xff, 0x7d) }],
  ];
  return Promise.all([
    ...plaintexts.map(([what, pad]) =>
      craftedCase(`a plaintext with ${what}`, 'MALFORMED', {
        plaintext: (signature, words) => pad(concatBytes(signature, words)),
      }),
    ),
    ...parts.map(([what, changed]) =>
      craftedCase(`a message ${what}`, 'MALFORMED', { parts: changed }),
    ),
  ]);
}

async function senderCases(): Promise<readonly MessageCase[]> {
  const { text } = await seal('carrier', message(alice));
  const odd = (defect: Parameters<typeof oddSignature>[2]): Deviation => ({
    sign: (toSign) => oddSignature(alice.signingSeed, toSign, defect),
  });
  const by = (senderCardId: Uint8Array): Partial<SaidParts> => ({ senderCardId });
  const yes = await crafted('yes');
  const elsewhere = { ...message(alice), channelSid: OTHER_CHANNEL };
  return [
    await craftedCase('signed by another', 'BAD_SIGNATURE', { signer: carol }),
    await craftedCase(
      'Alice’s signature under Carol’s card',
      'BAD_SIGNATURE',
      { parts: by(idOf(carol.card.id)) },
      { author: 'carol' },
    ),
    await craftedCase('a signature of zeros', 'BAD_SIGNATURE', { sign: () => new Uint8Array(64) }),
    await craftedCase('a signature with S + order', 'BAD_SIGNATURE', odd('S + order')),
    await craftedCase('a signature with torsion in R', 'BAD_SIGNATURE', odd('torsion in R')),
    await craftedCase(
      'a signature with the identity as R',
      'BAD_SIGNATURE',
      odd('R is the identity'),
    ),
    await craftedCase('a signature of one bit more', 'BAD_SIGNATURE', {
      plaintext: (signature, words) => padded(concatBytes(flipped(signature, 63), words)),
    }),
    await craftedCase('words that were not signed', 'BAD_SIGNATURE', {
      plaintext: (signature, words) => padded(concatBytes(signature, flipped(words, -2))),
    }),
    await craftedCase('signed for other recipients: forwarded', 'BAD_SIGNATURE', {
      plaintext: (_signature, words) => padded(concatBytes(yes.slice(0, 64), words)),
    }),
    await craftedCase('signed for another purpose', 'BAD_SIGNATURE', {
      sign: (toSign) => signedFor('sealed', toSign, alice.signingSeed),
    }),
    await craftedCase('a card that nobody has', 'CARD_INVALID', { parts: by(bytesOf('no card')) }),
    await craftedCase(
      'a card that is not approved under the pinned key',
      'CARD_INVALID',
      { parts: by(idOf(mallory.card.id)), signer: mallory },
      { author: 'mallory' },
    ),
    messageCase('shown in another channel', 'WRONG_CHANNEL', text, { channelSid: OTHER_CHANNEL }),
    messageCase(
      'written for another channel',
      'WRONG_CHANNEL',
      (await seal('elsewhere', elsewhere)).text,
    ),
    messageCase('shown as written by somebody else', 'WRONG_AUTHOR', text, { author: 'carol' }),
    messageCase('shown as written by nobody', 'WRONG_AUTHOR', text, { author: '' }),
    messageCase('shown as written by an author in upper case', 'WRONG_AUTHOR', text, {
      author: 'Alice',
    }),
    messageCase('shown in another channel, as written by somebody else', 'WRONG_CHANNEL', text, {
      channelSid: OTHER_CHANNEL,
      author: 'carol',
    }),
  ];
}

/** `carrier.json`. */
export async function carrierVectors(): Promise<EnvelopeFile<MessageCase>> {
  const { text } = await seal('carrier', message(alice));
  return {
    description: 'Messages that bring their key themselves: type 1, suite 1.',
    page: 'envelope.md',
    ...cast({ alice, bob, carol, mallory }),
    cases: [
      ...(await goodCarriers()),
      ...(await slotCases()),
      ...textCases(text),
      ...flippedCases(text),
      ...cutCases(text),
      ...(await headerCases()),
      ...(await typeCases()),
      ...(await plaintextCases()),
      ...(await senderCases()),
    ],
  };
}
