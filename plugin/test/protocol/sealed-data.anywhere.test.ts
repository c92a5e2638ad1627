import { concatBytes, randomBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isEncryptionError,
  openData,
  sealData,
  type Bytes,
  type OpenedData,
  type SealedMode,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { idBytes } from '../../src/protocol/identifiers.ts';
import { paddedLength } from '../../src/protocol/padding.ts';
import { utf8 } from '../../src/protocol/primitives.ts';
import { MAX_DATA } from '../../src/protocol/sealed-data.ts';
import { codeOf, runs } from '../outcomes.ts';
import {
  craft,
  openRaw,
  openRawBytes,
  sealedTbs,
  signedBytes,
  tbs,
  type Purpose,
} from './malicious-member.ts';
import { CHANNEL, open, person, random, seal, slotsFor, type Person } from './people.ts';

const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')];
const HEY = utf8('Hey Bob');

async function sealFor(recipients: readonly Person[], content = HEY): Promise<Bytes> {
  const slots = await slotsFor(recipients);
  return (await sealData('data', content, alice.signingKey, slots, random)).bytes;
}

async function openAs(
  reader: Person,
  bytes: Uint8Array,
  senders: readonly Person[] = [alice],
  mode: SealedMode = 'data',
): Promise<OpenedData | null> {
  const opener = { key: reader.encryptionKey, slotKeys: new Map<string, Bytes>() };
  const keys = senders.map(({ card }) => card.signingKey);
  return openData(mode, new Uint8Array(bytes), opener, keys);
}

describe('sealed data', () => {
  test('comes out as it went in, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 1000 }), async (data) => {
        const content = new Uint8Array(data);
        const opened = await openAs(bob, await sealFor([bob], content), [carol, alice]);
        expect(opened?.content).toEqual(content);
        expect(opened?.senderKey.publicKey).toEqual(alice.card.signingKey.publicKey);
      }),
      { numRuns: runs(100) },
    );
  });

  test('is for each of its recipients and nobody else', async () => {
    const many = await Promise.all(Array.from({ length: 30 }, (_, i) => person(`person ${i}`)));
    const bytes = await sealFor(many);
    for (const one of many) expect((await openAs(one, bytes))?.content).toEqual(HEY);
    expect(await openAs(alice, bytes)).toBeNull();
    expect(await openAs(bob, bytes)).toBeNull();
  });

  test('hides its length, and has another look each time', async () => {
    const [one, two] = [await sealFor([bob]), await sealFor([bob], new Uint8Array(80))];
    expect(one.length).toBe(two.length);
    expect(await sealFor([bob])).not.toEqual(one);
    // header 4 + 16 + 32 + 2 + 36, commitment 32, tag 16
    expect(one.length).toBe(90 + 32 + 16 + paddedLength(64 + 32 + 1 + 4 + HEY.length));
  });

  test('may be larger than a message, up to 64 MiB', async () => {
    const content = new Uint8Array(6_000_000).fill(7);
    const opened = await openAs(bob, await sealFor([bob], content));
    expect(opened?.content.length).toBe(content.length);
    expect(await codeOf(sealFor([bob], new Uint8Array(MAX_DATA + 1)))).toBe('MESSAGE_TOO_LARGE');
  });

  test('opens when it is made as the specification says', async () => {
    expect((await openAs(bob, await crafted({})))?.content).toEqual(HEY);
  });

  test('is verified with the cards that are given, not with others', async () => {
    const bytes = await sealFor([bob]);
    expect(await codeOf(openAs(bob, bytes, [carol, bob]))).toBe('BAD_SIGNATURE');
    expect(await codeOf(openAs(bob, bytes, []))).toBe('BAD_SIGNATURE');
  });

  test('is not the key of a stream, nor the other way round', async () => {
    expect(await codeOf(openAs(bob, await sealFor([bob]), [alice], 'stream'))).toBe('MALFORMED');
    const key = await sealData('stream', HEY, alice.signingKey, await slotsFor([bob]), random);
    expect(await codeOf(openAs(bob, key.bytes))).toBe('MALFORMED');
    expect((await openAs(bob, key.bytes, [alice], 'stream'))?.content).toEqual(HEY);
  });
});

interface Crafting {
  readonly signer?: SigningKey;
  readonly said?: Uint8Array;
  /** What the signature says that it is for. */
  readonly signedAs?: Purpose;
  /** What the envelope is. */
  readonly purpose?: Purpose;
  readonly pad?: (bytes: Uint8Array) => Uint8Array;
}

const padded = (bytes: Uint8Array, more = 0): Uint8Array => {
  const whole = new Uint8Array(paddedLength(bytes.length) + more);
  whole.set(bytes);
  return whole;
};

/** An envelope for Bob: by Alice and right in everything, unless said otherwise. */
async function crafted({
  signer = alice.signingKey,
  said = sealedTbs(alice.card.signingKey.publicKey, 0, HEY),
  signedAs = 'sealed',
  purpose = 'sealed',
  pad = padded,
}: Crafting): Promise<Bytes> {
  const m = randomBytes(32);
  const slot = { publicKey: bob.card.encryptionKey, wraps: m };
  const { headerHash, sealBytes } = craft([slot], purpose);
  const signature = await signer.sign(new Uint8Array(signedBytes(headerHash, said, signedAs)));
  return sealBytes(m, pad(concatBytes(signature, said)));
}

/** A plaintext that somebody found in an envelope, in a new envelope. */
function forward(plaintext: Uint8Array, to: Person): Bytes {
  const m = randomBytes(32);
  return craft([{ publicKey: to.card.encryptionKey, wraps: m }], 'sealed').sealBytes(m, plaintext);
}

describe('a recipient cannot', () => {
  test('forward data to others as if its sender had (surreptitious forwarding)', async () => {
    const plaintext = openRawBytes(await sealFor([bob]), bob.encryptionSecret, 'sealed');
    expect(await codeOf(openAs(carol, forward(plaintext, carol)))).toBe('BAD_SIGNATURE');
    expect(await codeOf(openAs(bob, forward(plaintext, bob)))).toBe('BAD_SIGNATURE');
  });

  test('sign in the name of another, or put their own name under another’s signature', async () => {
    expect(await codeOf(openAs(bob, await crafted({ signer: carol.signingKey })))).toBe(
      'BAD_SIGNATURE',
    );
    const said = sealedTbs(carol.card.signingKey.publicKey, 0, HEY);
    expect(await codeOf(openAs(bob, await crafted({ said }), [alice, carol]))).toBe(
      'BAD_SIGNATURE',
    );
  });
});

describe('a signature for one purpose is none for another (P8)', () => {
  test('a chat message is not sealed data, whatever is written on it', async () => {
    const text = await seal(alice, [bob], 'Hey');
    const bytes = base64urlnopad.decode(text.slice(5));
    expect(await codeOf(openAs(bob, bytes))).toBe('MALFORMED');
    bytes[1] = 4;
    expect(await codeOf(openAs(bob, bytes))).toBe('COMMITMENT_MISMATCH');
    const plaintext = openRaw(text, bob.encryptionSecret);
    expect(['MALFORMED', 'BAD_SIGNATURE']).toContain(
      await codeOf(openAs(bob, forward(plaintext, bob))),
    );
    expect(await codeOf(openAs(bob, await crafted({ signedAs: 'message' })))).toBe('BAD_SIGNATURE');
  });

  test('sealed data is not a chat message, whatever is written on it', async () => {
    const bytes = await sealFor([bob]);
    const text = (envelope: Uint8Array): string => `e2e1.${base64urlnopad.encode(envelope)}`;
    expect(await codeOf(open(text(bytes), bob, alice))).toBe('COMMITMENT_MISMATCH');
    bytes[1] = 1;
    expect(await codeOf(open(text(bytes), bob, alice))).toBe('COMMITMENT_MISMATCH');
    // Data that is a message, signed as data, in an envelope for messages.
    const said = tbs({
      channelSid: CHANNEL,
      senderCardId: idBytes(alice.card.id),
      messageId: new Uint8Array(16),
      kind: 1,
      sequence: 1n,
      sentAt: 1n,
      head: new Uint8Array(112),
      content: '{"body":"Hey"}',
    });
    const forged = await crafted({ said, signedAs: 'sealed', purpose: 'message' });
    expect(await codeOf(open(text(forged), bob, alice))).toBe('BAD_SIGNATURE');
    const real = await crafted({ said, signedAs: 'message', purpose: 'message' });
    expect((await open(text(real), bob, alice))?.content).toEqual({ body: 'Hey' });
  });
});

describe('a malicious sender cannot', () => {
  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['256 zeros more', (bytes) => padded(bytes, 256)],
    ['no padding', (bytes) => bytes],
    ['a byte in the padding', (bytes) => padded(bytes).fill(1, bytes.length, bytes.length + 1)],
    ['its data cut off', (bytes) => bytes.subarray(0, 100)],
    ['only a signature', (bytes) => bytes.subarray(0, 64)],
  ])('send a plaintext with %s', async (_what, pad) => {
    expect(await codeOf(openAs(bob, await crafted({ pad })))).toBe('MALFORMED');
  });

  test.each<[string, Uint8Array]>([
    ['mode 2', sealedTbs(alice.card.signingKey.publicKey, 2, HEY)],
    ['mode 255', sealedTbs(alice.card.signingKey.publicKey, 255, HEY)],
    ['a length beyond the end', sealedTbs(alice.card.signingKey.publicKey, 0, HEY, 4e9)],
    ['a length that leaves some of it out', sealedTbs(alice.card.signingKey.publicKey, 0, HEY, 1)],
  ])('send %s', async (_what, said) => {
    expect(await codeOf(openAs(bob, await crafted({ said })))).toBe('MALFORMED');
  });
});

test('a changed bit anywhere is an error, or nothing for this reader', async () => {
  const bytes = await sealFor([bob, carol]);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    expect(await outcome(changed), `byte ${at}`).toBe('refused');
  }
  for (const length of [0, 1, 20, 90, 125, bytes.length - 1]) {
    expect(await outcome(bytes.slice(0, length)), `cut to ${length}`).toBe('refused');
  }
  expect(await outcome(new Uint8Array(concatBytes(bytes, bytes)))).toBe('refused');
});

async function outcome(bytes: Bytes): Promise<'refused' | 'opened'> {
  try {
    return (await openAs(bob, bytes)) === null ? 'refused' : 'opened';
  } catch (error) {
    if (isEncryptionError(error)) return 'refused';
    throw error;
  }
}
