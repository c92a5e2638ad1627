/** Envelopes whose message key is brought by X-Wing. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { ml_kem768_x25519 as nobleXWing } from '@noble/post-quantum/hybrid.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  base64url,
  encodeContent,
  messageIdOf,
  openData,
  parseEnvelope,
  sealData,
  sealFollower,
  sealMessage,
  xwing,
  xwingSlots,
  type Bytes,
  type KemKey,
  type Session,
  type SignedMessage,
  type SlotSealer,
} from 'twilio-chat-encryption/protocol';
import { uint } from '../../src/protocol/bytes.ts';
import { sealedLength } from '../../src/protocol/message-envelope.ts';
import { concat } from '../../src/protocol/primitives.ts';
import { codeOf } from '../outcomes.ts';
import {
  CHANNEL,
  open,
  person,
  pqPerson,
  pqSlotsFor,
  random,
  seal,
  slotsFor,
  type Person,
  HEAD,
} from './people.ts';

const kem = await xwing();
const bobsSeed = random(32);
const alice = await pqPerson('alice');
const bob = await pqPerson('bob', bobsSeed);
const carol = await pqPerson('carol');
const withoutKey = await person('dave');

// version, type, suite, flags | nonce 16 | count 2 | slots: hint 4 | ML-KEM 1088 | X25519 32 | wrapped 32
const SLOTS = 4 + 16 + 2;
const SLOT = 4 + 1120 + 32;

function bytesOf(text: string): Bytes {
  return base64url.decode(text.slice('e2e1.'.length)) ?? new Uint8Array();
}

function textOf(bytes: Bytes): string {
  return `e2e1.${base64url.encode(bytes)}`;
}

function changed(text: string, at: number, mask = 1): string {
  const bytes = bytesOf(text);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ mask;
  return textOf(bytes);
}

async function seal2(recipients: readonly Person[], body: string): Promise<string> {
  return seal(alice, recipients, body, { slots: await pqSlotsFor(recipients) });
}

/** The outcome of opening as a value: a verdict, null, or what was read. */
async function outcome(text: string, reader = bob): Promise<unknown> {
  const [settled] = await Promise.allSettled([open(text, reader, alice)]);
  if (settled.status === 'fulfilled') return settled.value?.content ?? null;
  return codeOf(Promise.reject(settled.reason as Error));
}

describe('an envelope of suite 2', () => {
  test('is read by every recipient, and says so', async () => {
    const text = await seal2([alice, bob], 'Hey Bob');
    expect(parseEnvelope(text)).toMatchObject({ type: 'carrier', suite: 2 });
    for (const reader of [alice, bob]) {
      const opened = await open(text, reader, alice);
      expect(opened?.content).toEqual({ body: 'Hey Bob' });
      expect(opened).toMatchObject({ suite: 2, sender: { id: alice.card.id } });
      // No ephemeral key comes twice: there is nothing to keep.
      expect(opened).not.toHaveProperty('slotKey');
    }
    expect((await open(await seal(alice, [bob], 'Hey'), bob, alice))?.suite).toBe(1);
  });

  test('has the form and the keys of the specification', async () => {
    const bytes = bytesOf(await seal2([carol, bob], 'Hey Bob'));
    const L = (name: string): Uint8Array => utf8ToBytes(`twilio-chat-encryption/v1/${name}\0`);
    const nonce = bytes.slice(4, 20);
    expect([...bytes.slice(0, 4), ...bytes.slice(20, SLOTS)]).toEqual([1, 1, 2, 0, 0, 2]);
    const slot = bytes.slice(SLOTS + SLOT, SLOTS + 2 * SLOT);
    const { publicKey, secretKey } = nobleXWing.keygen(bobsSeed);
    expect(slot.slice(0, 4)).toEqual(sha256(concatBytes(L('hint'), nonce, publicKey)).slice(0, 4));
    const ciphertext = slot.slice(4, 4 + 1120);
    const kek = extract(sha256, nobleXWing.decapsulate(ciphertext, secretKey), L('slot'));
    const info = concatBytes(L('slot'), nonce, sha256(ciphertext), sha256(publicKey));
    const mask = expand(sha256, kek, info, 32);
    const m = slot.slice(4 + 1120).map((byte, at) => byte ^ (mask[at] ?? 0));
    const [header, rest] = [bytes.slice(0, SLOTS + 2 * SLOT), bytes.slice(SLOTS + 2 * SLOT)];
    const hh = sha256(concatBytes(L('header'), header));
    const prk = extract(sha256, m, L('message'));
    const keys = expand(sha256, prk, concatBytes(L('key'), hh), 64);
    expect(rest.slice(0, 32)).toEqual(keys.slice(32));
    const aead = chacha20poly1305(
      keys.slice(0, 32),
      new Uint8Array(12),
      concatBytes(hh, keys.slice(32)),
    );
    expect(new TextDecoder().decode(aead.decrypt(rest.slice(32)))).toContain('Hey Bob');
  });

  test('is read by each of many', async () => {
    const people = await Promise.all(Array.from({ length: 40 }, (_, at) => pqPerson(`p${at}`)));
    const text = await seal2(people, 'Hey all');
    for (const reader of people) expect(await outcome(text, reader)).toEqual({ body: 'Hey all' });
    expect(await outcome(text, bob)).toBeNull();
  });

  test('is nobody’s for a reader without such a key, whatever else he has', async () => {
    const text = await seal2([alice, bob], 'Hey');
    expect(await outcome(text, withoutKey)).toBeNull();
    const { pqEncryptionKey, ...bobBefore } = bob;
    expect(pqEncryptionKey).toBeDefined();
    expect(await outcome(text, bobBefore)).toBeNull();
  });

  test.each([
    ['version', 0, 'UNSUPPORTED_VERSION'],
    ['type', 1, 'UNSUPPORTED_VERSION'],
    ['flags', 3, 'MALFORMED'],
    ['nonce', 4, null],
    ['count', 20, 'MALFORMED'],
    ['hint', SLOTS, null],
    // Implicit rejection (FIPS 203 §6.3): another secret and no error. The commitment tells.
    ['ML-KEM ciphertext', SLOTS + 4, 'COMMITMENT_MISMATCH'],
    ['ML-KEM ciphertext, last byte', SLOTS + 4 + 1087, 'COMMITMENT_MISMATCH'],
    ['X25519 key', SLOTS + 4 + 1088, 'COMMITMENT_MISMATCH'],
    ['wrapped key', SLOTS + 4 + 1120, 'COMMITMENT_MISMATCH'],
    ['slot of somebody else', SLOTS + SLOT + 100, 'COMMITMENT_MISMATCH'],
    ['commitment', SLOTS + 2 * SLOT, 'COMMITMENT_MISMATCH'],
    ['ciphertext', SLOTS + 2 * SLOT + 32, 'DECRYPTION_FAILED'],
    ['tag', -1, 'DECRYPTION_FAILED'],
  ])('with a flipped bit in its %s is not read', async (_part, offset, expected) => {
    const text = await seal2([bob, carol], 'Hey Bob');
    // In the type, bit 3: there is no type 5 or 9.
    expect(await outcome(changed(text, offset, offset === 1 ? 8 : 1))).toBe(expected);
  });

  test('never opens after any change of any byte', async () => {
    const text = await seal2([bob], 'Hey Bob');
    const at = fc.nat(bytesOf(text).length - 1);
    await fc.assert(
      fc.asyncProperty(at, fc.integer({ min: 1, max: 255 }), async (index, mask) => {
        expect(await outcome(changed(text, index, mask))).not.toEqual({ body: 'Hey Bob' });
      }),
      { numRuns: 200 },
    );
  });

  test('of one suite is not read as one of the other', async () => {
    // Long enough for a slot of suite 2.
    const one = await seal(alice, [bob], 'x'.repeat(2000));
    const two = await seal2([bob], 'Hey');
    for (const text of [changed(one, 2, 3), changed(two, 2, 3)]) {
      // What then stands at the place of the count is random: rarely it is possible.
      expect(['MALFORMED', null]).toContain(await outcome(text));
    }
    const possible = bytesOf(one);
    possible.set([2, ...possible.slice(3, 20), 0, 1], 2);
    expect(await outcome(textOf(possible))).toBeNull();
  });

  test('with ciphertexts or slots swapped is rejected', async () => {
    const bytes = bytesOf(await seal2([bob, carol], 'Hey'));
    const swap = (from: number, length: number): string => {
      const swapped = bytes.slice();
      swapped.copyWithin(SLOTS + from, SLOTS + SLOT + from, SLOTS + SLOT + from + length);
      swapped.set(bytes.slice(SLOTS + from, SLOTS + from + length), SLOTS + SLOT + from);
      return textOf(swapped);
    };
    for (const [from, length] of [
      [4, 1120],
      [4 + 1120, 32],
      [0, SLOT],
    ] as const) {
      for (const reader of [bob, carol]) {
        expect(await outcome(swap(from, length), reader)).toBe('COMMITMENT_MISMATCH');
      }
    }
    expect(await outcome(swap(0, 4))).toBe('COMMITMENT_MISMATCH');
  });

  test.each([0, 0xff])('with an X25519 half of bytes %i is malformed', async (byte) => {
    const bytes = bytesOf(await seal2([bob, carol], 'Hey'));
    bytes.fill(byte, SLOTS + 4 + 1088, SLOTS + 4 + 1120);
    expect(await outcome(textOf(bytes))).toBe('MALFORMED');
  });

  test.each([0, 1, 3, 4097, 65_535])(
    'with a count of %i for two slots is not read',
    async (count) => {
      const bytes = bytesOf(await seal2([bob, carol], 'Hey'));
      bytes.set(uint(count, 2), 20);
      expect(await outcome(textOf(bytes))).toBe(count === 1 ? 'COMMITMENT_MISMATCH' : 'MALFORMED');
    },
  );

  test('needs recipients, each one once, and at most 4096', async () => {
    const key = random(1216);
    const made = (keys: readonly Bytes[]): Promise<SlotSealer> =>
      Promise.resolve().then(() => xwingSlots(kem, keys, random));
    expect(await codeOf(made([]))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(made([key, key.slice()]))).toBe('INVALID_ARGUMENT');
    const many = Array.from({ length: 4097 }, (_, at) => concat(uint(at, 2), key.slice(2)));
    expect(await codeOf(made(many))).toBe('TOO_MANY_RECIPIENTS');
    expect((await made(many.slice(1))).suite).toBe(2);
  });
});

describe('marked slots', () => {
  /** Slots for bob that bring these keys; null stands for the message key. */
  function marked(keys: readonly (Bytes | null)[]): SlotSealer {
    const one = xwingSlots(kem, [bob.card.pqEncryptionKey ?? new Uint8Array()], random);
    return {
      suite: 2,
      async seal(messageKey, nonce) {
        const rests = await Promise.all(keys.map((key) => one.seal(key ?? messageKey, nonce)));
        return concat(uint(keys.length, 2), ...rests.map((rest) => rest.subarray(2)));
      },
    };
  }

  function counting(inner: KemKey): { key: KemKey; count: () => number } {
    let count = 0;
    const counted = (ciphertext: Bytes): Promise<Bytes> => {
      count += 1;
      return inner.decapsulate(ciphertext);
    };
    return { key: { publicKey: inner.publicKey, decapsulate: counted }, count: () => count };
  }

  const junk = (count: number): Bytes[] => Array.from({ length: count }, () => random(32));

  test('by accident do not hide the own one', async () => {
    const text = await seal(alice, [], 'Hey', { slots: marked([...junk(3), null]) });
    expect(await outcome(text)).toEqual({ body: 'Hey' });
  });

  test('are tried four at most', async () => {
    const slots = marked([...junk(4), null, ...junk(100)]);
    const text = await seal(alice, [], 'Hey', { slots });
    const { key, count } = counting(bob.pqEncryptionKey ?? expect.fail());
    expect(await outcome(text, { ...bob, pqEncryptionKey: key })).toBe('COMMITMENT_MISMATCH');
    expect(count()).toBe(4);
  });

  test('cost nothing where there are none', async () => {
    const { key, count } = counting(carol.pqEncryptionKey ?? expect.fail());
    const text = await seal2([alice, bob], 'Hey');
    expect(await outcome(text, { ...carol, pqEncryptionKey: key })).toBeNull();
    expect(count()).toBe(0);
  });
});

test('what the platform fails to do is no verdict about the envelope', async () => {
  const failure = new DOMException('', 'OperationError');
  const broken = bob.pqEncryptionKey && {
    publicKey: bob.pqEncryptionKey.publicKey,
    decapsulate: () => Promise.reject(failure),
  };
  const reader = { ...bob, ...(broken && { pqEncryptionKey: broken }) };
  await expect(open(await seal2([bob], 'Hey'), reader, alice)).rejects.toBe(failure);
});

describe('a session of suite 2', () => {
  const signed = (kind: 'key' | 'message'): SignedMessage => ({
    kind,
    channelSid: CHANNEL,
    senderCardId: alice.card.id,
    messageId: messageIdOf(random(16)),
    sequence: 1,
    sentAt: 1_700_000_000_002,
    head: HEAD,
    content: kind === 'key' ? new Uint8Array() : encodeContent({ body: 'Hey' }),
  });

  async function opened(): Promise<Session> {
    const slots = await pqSlotsFor([alice, bob]);
    const { text, session } = await sealMessage(signed('key'), alice.signingKey, slots, random);
    expect((await open(text, bob, alice))?.session).toEqual(session);
    return session ?? expect.fail();
  }

  async function follower(session: Session): Promise<string> {
    return (await sealFollower(signed('message'), alice.signingKey, session, 7, random)).text;
  }

  test('is carried by followers of suite 2, which are no longer than others', async () => {
    const session = await opened();
    expect(session.suite).toBe(2);
    const text = await follower(session);
    expect(bytesOf(text)[2]).toBe(2);
    expect(text.length).toBeLessThan(900);
    expect(await open(text, bob, alice, session)).toMatchObject({
      suite: 2,
      content: { body: 'Hey' },
    });
  });

  test('is not followed by messages that say suite 1, nor the reverse', async () => {
    const session = await opened();
    const one: Session = { ...session, suite: 1 };
    expect(await codeOf(open(await follower(one), bob, alice, session))).toBe('MALFORMED');
    expect(await codeOf(open(await follower(session), bob, alice, one))).toBe('MALFORMED');
    const relabelled = changed(await follower(session), 2, 3);
    expect(await codeOf(open(relabelled, bob, alice, session))).toBe('COMMITMENT_MISMATCH');
  });
});

test('the length of an envelope is known before it is made', async () => {
  const slotsOf = { 1: slotsFor, 2: pqSlotsFor } as const;
  const target = {
    cardId: alice.card.id,
    messageId: messageIdOf(random(16)),
    sequence: 1,
    revision: 1,
  };
  for (const suite of [1, 2] as const) {
    for (const recipients of [[bob], [bob, carol], [alice, bob, carol]]) {
      const slots = await slotsOf[suite](recipients);
      for (const length of [0, 1, 26, 27, 200, 284, 3850, 3859, 20_000]) {
        const content = encodeContent({ body: 'x'.repeat(length) });
        const common = {
          channelSid: CHANNEL,
          senderCardId: alice.card.id,
          messageId: messageIdOf(random(16)),
          sentAt: 1_700_000_000_002,
          head: HEAD,
          content,
        };
        for (const message of [
          { ...common, kind: 'message', sequence: 1 },
          { ...common, kind: 'edit', target },
          { ...common, kind: 'key', sequence: 1, content: new Uint8Array() },
        ] as const) {
          const { text, session } = await sealMessage(message, alice.signingKey, slots, random);
          expect(text).toHaveLength(sealedLength(message, suite, recipients.length));
          const under = session ?? {
            ...message,
            sessionId: random(16),
            messageKey: random(32),
            suite,
          };
          const follower = await sealFollower(message, alice.signingKey, under, 7, random);
          expect(follower.text).toHaveLength(sealedLength(message, suite, 0));
        }
      }
    }
  }
});

test('sealed data may be of suite 2 too', async () => {
  const slots = await pqSlotsFor([bob]);
  const data = Uint8Array.of(1, 2, 3);
  const { bytes } = await sealData('data', data, alice.signingKey, slots, random);
  const slotKeys = new Map<string, Bytes>();
  const { encryptionKey: key, pqEncryptionKey: pqKey } = bob;
  const senders = [alice.card.signingKey];
  const read = await openData('data', bytes, { key, slotKeys, ...(pqKey && { pqKey }) }, senders);
  expect(read?.content).toEqual(data);
  expect(await openData('data', bytes, { key, slotKeys }, senders)).toBeNull();
});
