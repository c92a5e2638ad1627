/**
 * The type of an envelope is in the clear, the kind of its message is signed: only pairs that belong
 * together open. Made with the library's own core, by a sender who signs what no client would.
 */
import { concatBytes } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import {
  countUnknownSlots,
  createEphemeral,
  parseEnvelope,
  x25519Slots,
  type Session,
} from 'twilio-chat-encryption/protocol';
import { sealEnvelope } from '../../src/protocol/envelope.ts';
import { encodeHeader, encodeReference, envelopeText } from '../../src/protocol/header.ts';
import { idBytes } from '../../src/protocol/identifiers.ts';
import { codeOf } from '../outcomes.ts';
import { tbs, type TbsParts } from './malicious-member.ts';
import { CHANNEL, open, OTHER_CHANNEL, person, random, seal } from './people.ts';

const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')];

const PARTS: TbsParts = {
  channelSid: CHANNEL,
  senderCardId: idBytes(alice.card.id),
  messageId: new Uint8Array(16).fill(7),
  kind: 1,
  sequence: 1n,
  sentAt: 1_700_000_000_000n,
  head: new Uint8Array(112),
  content: '{"body":"Hey"}',
};

/** What an edit names, in front of its sequence: the bytes of a target. */
function edited(parts: Partial<TbsParts>, target: Uint8Array): Uint8Array {
  const plain = tbs({ ...PARTS, kind: 2, sequence: 0n, ...parts });
  const at = 1 + CHANNEL.length + 32 + 16 + 1;
  return concatBytes(plain.subarray(0, at), target, plain.subarray(at));
}

const TARGET = concatBytes(
  idBytes(alice.card.id),
  new Uint8Array(16).fill(9),
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 3),
  Uint8Array.of(0, 0, 0, 1),
);

type SlotType = 'carrier' | 'key' | 'sealed';

async function sealed(type: SlotType, signed: Uint8Array): Promise<string> {
  const [m, nonce] = [random(32), random(16)];
  const slots = x25519Slots(await createEphemeral(random), [bob.card.encryptionKey]);
  const header = encodeHeader(type, 1, nonce, await slots.seal(m, nonce));
  const bytes = await sealEnvelope('message', header, m, alice.signingKey, new Uint8Array(signed));
  return envelopeText(bytes);
}

describe('a type and a kind that belong together open:', () => {
  test.each<[SlotType, string, Uint8Array]>([
    ['carrier', 'message', tbs(PARTS)],
    ['carrier', 'edit', edited({}, TARGET)],
    ['key', 'key', tbs({ ...PARTS, kind: 3, content: '' })],
  ])('a %s with a %s', async (type, kind, signed) => {
    const opened = await open(await sealed(type, signed), bob, alice);
    expect(opened?.message.kind).toBe(kind);
    // Only a key message opens a session.
    expect(opened?.session !== undefined).toBe(kind === 'key');
  });
});

describe('nothing else opens:', () => {
  test.each<[string, SlotType, Uint8Array]>([
    ['a message that would be hidden as a key message', 'key', tbs(PARTS)],
    ['an edit that would be hidden', 'key', edited({}, TARGET)],
    ['a key message shown as a message', 'carrier', tbs({ ...PARTS, kind: 3, content: '' })],
    ['a key message with words', 'key', tbs({ ...PARTS, kind: 3 })],
    ['a message in sealed data', 'sealed', tbs(PARTS)],
    ['a kind of tomorrow', 'carrier', tbs({ ...PARTS, kind: 4 })],
    ['a kind of tomorrow without content', 'carrier', tbs({ ...PARTS, kind: 4, content: '' })],
    ['a key message of tomorrow', 'key', tbs({ ...PARTS, kind: 4, content: '' })],
    ['an edit with a number of its own', 'carrier', edited({ sequence: 5n }, TARGET)],
    ['an edit without a target', 'carrier', tbs({ ...PARTS, kind: 2, sequence: 0n })],
    ['an edit of the number 0', 'carrier', edited({}, TARGET.with(-5, 0))],
    ['an edit of the revision 0', 'carrier', edited({}, TARGET.with(-1, 0))],
  ])('%s', async (_what, type, signed) => {
    expect(await codeOf(open(await sealed(type, signed), bob, alice))).toBe('MALFORMED');
  });
});

describe('a follower', () => {
  const session: Session = {
    channelSid: CHANNEL,
    senderCardId: alice.card.id,
    sessionId: random(16),
    messageKey: random(32),
    suite: 1,
  };

  async function follower(signed: Uint8Array, suite: 1 | 2 = 1): Promise<string> {
    const reference = encodeReference({ sessionId: session.sessionId, keyMessageIndex: 0 });
    const header = encodeHeader('follower', suite, random(16), reference);
    return envelopeText(
      await sealEnvelope(
        'message',
        header,
        session.messageKey,
        alice.signingKey,
        new Uint8Array(signed),
      ),
    );
  }

  test('opens no session of its own', async () => {
    const signed = tbs({ ...PARTS, kind: 3, content: '' });
    expect(await codeOf(open(await follower(signed), bob, alice, session))).toBe('MALFORMED');
    expect((await open(await follower(tbs(PARTS)), bob, alice, session))?.session).toBeUndefined();
  });

  test('is of the suite and the channel of its session', async () => {
    const other = await follower(tbs(PARTS), 2);
    expect(await codeOf(open(other, bob, alice, session))).toBe('MALFORMED');
    const elsewhere = { ...session, channelSid: OTHER_CHANNEL };
    const here = await follower(tbs(PARTS));
    expect(await codeOf(open(here, bob, alice, elsewhere))).toBe('MALFORMED');
  });
});

describe('slots', () => {
  test('are counted as unknown unless they are for one of these keys', async () => {
    const envelope = parseEnvelope(await seal(alice, [alice, bob, carol], 'Hey'));
    if (envelope.type === 'follower') throw new Error('It has slots.');
    const keys = [alice, bob, carol].map(({ card }) => card.encryptionKey);
    for (const known of [0, 1, 2, 3]) {
      expect(countUnknownSlots(envelope.slots, keys.slice(0, known))).toBe(3 - known);
    }
    expect(countUnknownSlots(envelope.slots, [random(32)])).toBe(3);
  });
});

test('an envelope that ends before its signature could is malformed before anything is tried', async () => {
  const text = await seal(alice, [bob], 'Hey');
  const head = 5 + Math.ceil(((54 + 36 + 32) * 4) / 3);
  expect(await codeOf(Promise.resolve().then(() => parseEnvelope(text.slice(0, head + 105))))).toBe(
    'MALFORMED',
  );
});
