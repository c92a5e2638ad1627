import { concatBytes, randomBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createEphemeral,
  encodeContent,
  isEncryptionError,
  messageIdOf,
  openMessage,
  parseEnvelope,
  sealMessage,
  type AgreementKey,
  type Bytes,
  type Card,
  type SigningKey,
  type VerifiedMessage,
  type VerifyingKey,
  x25519Slots,
} from 'twilio-chat-encryption/protocol';
import { idBytes } from '../../src/protocol/identifiers.ts';
import { paddedLength } from '../../src/protocol/padding.ts';
import { hex } from '../../src/protocol/primitives.ts';
import { codeOf, runs } from '../outcomes.ts';
import { codePoint } from './arbitraries.ts';
import {
  craft,
  openRaw,
  sealRaw,
  signedBytes,
  tbs,
  type CraftedSlot,
  type TbsParts,
} from './malicious-member.ts';
import { CHANNEL, open, person, random, seal, slotsFor, type Person, HEAD } from './people.ts';

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

interface Crafting {
  readonly parts?: Partial<TbsParts>;
  readonly slots?: readonly CraftedSlot[];
  /** The key to seal under; the first slot's unless said otherwise. */
  readonly m?: Uint8Array;
  readonly key?: SigningKey;
  /** Makes the plaintext of what is signed; default: zeros up to the right length. */
  readonly pad?: (bytes: Uint8Array) => Uint8Array;
}

const padded = (bytes: Uint8Array, more = 0): Uint8Array => {
  const whole = new Uint8Array(paddedLength(bytes.length) + more);
  whole.set(bytes);
  return whole;
};

/** An envelope by a malicious alice: rightly signed, with whatever is asked for in it. */
async function crafted({ parts = {}, slots, m, key, pad = padded }: Crafting): Promise<string> {
  const own = randomBytes(32);
  const all = slots ?? [{ publicKey: bob.card.encryptionKey, wraps: own }];
  const { headerHash, seal: finish } = craft(all);
  const said = tbs({ ...PARTS, ...parts });
  const signer = key ?? alice.signingKey;
  const signature = await signer.sign(new Uint8Array(signedBytes(headerHash, said)));
  return finish(m ?? all[0]?.wraps ?? own, pad(concatBytes(signature, said)));
}

test('an envelope made by the specification alone opens', async () => {
  const opened = await open(await crafted({}), bob, alice);
  expect(opened?.content).toEqual({ body: 'Hey' });
  expect(opened?.message).toMatchObject({ kind: 'message', sequence: 1 });
});

describe('a recipient cannot', () => {
  test('forward a message to others as if its sender had (surreptitious forwarding)', async () => {
    const plaintext = openRaw(
      await seal(alice, [alice, bob], 'Only for Bob'),
      bob.encryptionSecret,
    );
    const forwarded = sealRaw(plaintext, [carol.card.encryptionKey]);
    expect(await codeOf(open(forwarded, carol, alice))).toBe('BAD_SIGNATURE');
  });

  test('make a second envelope of it for the same recipients', async () => {
    const plaintext = openRaw(await seal(alice, [bob], 'Pay'), bob.encryptionSecret);
    const again = sealRaw(plaintext, [bob.card.encryptionKey]);
    expect(await codeOf(open(again, bob, alice))).toBe('BAD_SIGNATURE');
  });

  test('put the signature of one message under another', async () => {
    const recipients = [bob.card.encryptionKey];
    const [yes, no] = await Promise.all(
      ['yes', 'no'].map(async (body) =>
        openRaw(await seal(alice, [bob], body), bob.encryptionSecret),
      ),
    );
    const mixed = concatBytes(
      (yes ?? new Uint8Array()).subarray(0, 64),
      (no ?? new Uint8Array()).subarray(64),
    );
    expect(await codeOf(open(sealRaw(mixed, recipients), bob, alice))).toBe('BAD_SIGNATURE');
  });

  test('sign as a card that is not his', async () => {
    const text = await crafted({ key: carol.signingKey });
    expect(await codeOf(open(text, bob, alice))).toBe('BAD_SIGNATURE');
  });

  test('name his own card under another’s signature', async () => {
    const text = await crafted({ parts: { senderCardId: idBytes(carol.card.id) } });
    expect(await codeOf(open(text, bob, carol))).toBe('BAD_SIGNATURE');
  });
});

describe('a malicious sender cannot', () => {
  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['256 zeros more', (bytes) => padded(bytes, 256)],
    ['one zero more', (bytes) => padded(bytes, 1)],
    ['no padding', (bytes) => bytes],
    ['a byte in the padding', (bytes) => padded(bytes).fill(1, bytes.length, bytes.length + 1)],
    ['a byte at its end', (bytes) => padded(bytes).fill(1, -1)],
    ['its message cut off', (bytes) => bytes.subarray(0, 100)],
    ['only a signature', (bytes) => bytes.subarray(0, 64)],
  ])('send a plaintext with %s', async (_what, pad) => {
    expect(await codeOf(open(await crafted({ pad }), bob, alice))).toBe('MALFORMED');
  });

  test.each<[string, Partial<TbsParts>]>([
    ['of kind 0', { kind: 0 }],
    ['of kind 2', { kind: 2 }],
    ['of kind 255', { kind: 255 }],
    ['with a log head of no time', { head: new Uint8Array(112).fill(255) }],
    ['with the sequence 0', { sequence: 0n }],
    ['with a sequence that is no safe integer', { sequence: 2n ** 53n }],
    ['with the largest sequence', { sequence: 2n ** 64n - 1n }],
    ['with a time that is no safe integer', { sentAt: 2n ** 63n }],
    ['with a time that no Date holds', { sentAt: 8_640_000_000_000_001n }],
    ['with no channel', { channelSid: '' }],
    ['with a channel that is no sid', { channelSid: 'CH/..' }],
    ['with content in another spelling', { content: '{"body": "Hey"}' }],
    ['with two bodies', { content: '{"body":"a","body":"b"}' }],
    ['with a lone surrogate', { content: '{"body":"\\ud800"}' }],
    ['nested too deep', { content: `{"attributes":${'['.repeat(33)}${']'.repeat(33)}}` }],
    ['with no content', { content: '' }],
  ])('send a message %s', async (_what, parts) => {
    expect(await codeOf(open(await crafted({ parts }), bob, alice))).toBe('MALFORMED');
  });

  test('send a message of another channel', async () => {
    const text = await crafted({ parts: { channelSid: 'CH2' } });
    expect(await codeOf(open(text, bob, alice))).toBe('WRONG_CHANNEL');
  });

  test('show two recipients two texts: one commitment is for one key', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const slots = [
      { publicKey: bob.card.encryptionKey, wraps: first },
      { publicKey: carol.card.encryptionKey, wraps: second },
    ];
    const text = await crafted({ slots, m: first });
    expect((await open(text, bob, alice))?.content).toEqual({ body: 'Hey' });
    expect(await codeOf(open(text, carol, alice))).toBe('COMMITMENT_MISMATCH');
  });
});

describe('slots with one reader’s mark', () => {
  const decoys = (count: number): CraftedSlot[] =>
    Array.from({ length: count }, () => ({
      publicKey: bob.card.encryptionKey,
      wraps: new Uint8Array(32),
    }));

  test('are tried four times, no more', async () => {
    const m = randomBytes(32);
    const real = { publicKey: bob.card.encryptionKey, wraps: m };
    const fourth = await crafted({ slots: [...decoys(3), real], m });
    expect((await open(fourth, bob, alice))?.content).toEqual({ body: 'Hey' });
    const fifth = await crafted({ slots: [...decoys(4), real], m });
    expect(await codeOf(open(fifth, bob, alice))).toBe('COMMITMENT_MISMATCH');
  });

  test('cost one key agreement and little time, however many there are', async () => {
    const text = await crafted({ slots: decoys(1) });
    const bytes = base64urlnopad.decode(text.slice(5));
    const marked = bytes.slice(54, 54 + 36);
    const many = Array.from({ length: 4096 }, () => marked);
    const start = concatBytes(bytes.slice(0, 52), Uint8Array.of(0x10, 0));
    const flood = `e2e1.${base64urlnopad.encode(concatBytes(start, ...many, bytes.slice(-400)))}`;
    let agreements = 0;
    const key: AgreementKey = {
      publicKey: bob.encryptionKey.publicKey,
      agree: (publicKey) => {
        agreements += 1;
        return bob.encryptionKey.agree(publicKey);
      },
    };
    const before = performance.now();
    const opening = openAs(flood, { ...bob, encryptionKey: key });
    expect(await codeOf(opening)).toBe('COMMITMENT_MISMATCH');
    expect(performance.now() - before).toBeLessThan(1000);
    expect(agreements).toBe(1);
  });

  test('are not read over 4096, whatever the header says', async () => {
    const bytes = base64urlnopad.decode((await crafted({})).slice(5));
    const slots = new Uint8Array(4097 * 36);
    for (const count of [0, 4097, 65_535]) {
      const size = Uint8Array.of(count >> 8, count & 255);
      const rest = [slots.subarray(0, Math.min(count, 4097) * 36), bytes.slice(-400)];
      const text = `e2e1.${base64urlnopad.encode(concatBytes(bytes.slice(0, 52), size, ...rest))}`;
      expect(text.length).toBeLessThan(262_144);
      expect(await codeOf(open(text, bob, alice))).toBe('MALFORMED');
    }
  });
});

describe('recipients', () => {
  // Any canonical coordinate is a key of this curve or its twist; nobody needs to know the secret,
  // and with random slot keys as if agreed on before it takes no time.
  const strangers = Array.from({ length: 4096 }, () => {
    const key = random(32);
    key[31] = (key[31] ?? 0) & 0x3f;
    return key;
  });
  const sealFor = async (keys: readonly Bytes[]): Promise<string> => {
    const ephemeral = await createEphemeral(random);
    for (const key of strangers) ephemeral.slotKeys.set(hex.encode(key), random(32));
    const { text } = await sealMessage(
      {
        kind: 'message',
        channelSid: CHANNEL,
        senderCardId: alice.card.id,
        messageId: messageIdOf(random(16)),
        sequence: 1,
        sentAt: 0,
        head: HEAD,
        content: encodeContent({ body: 'Hey all' }),
      },
      alice.signingKey,
      x25519Slots(ephemeral, keys),
      random,
    );
    return text;
  };

  test('may be 4096, and the last one reads it', async () => {
    const text = await sealFor([...strangers.slice(1), bob.card.encryptionKey]);
    expect(text.length).toBeLessThan(262_144);
    expect((await open(text, bob, alice))?.content).toEqual({ body: 'Hey all' });
    expect(await open(text, carol, alice)).toBeNull();
  });

  test('may not be 4097, none, or one of them twice', async () => {
    const key = bob.card.encryptionKey;
    expect(await codeOf(sealFor([...strangers, key]))).toBe('TOO_MANY_RECIPIENTS');
    expect(await codeOf(sealFor([]))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(sealFor([key, ...strangers.slice(0, 2), key.slice()]))).toBe(
      'INVALID_ARGUMENT',
    );
  });

  test('with a key of low order stop the sending, not only their own slot', async () => {
    expect(await codeOf(sealFor([bob.card.encryptionKey, new Uint8Array(32)]))).toBe('INVALID_KEY');
  });
});

describe('a kept slot key', () => {
  test('opens what the agreement opens, and seals what it seals', async () => {
    const ephemeral = await createEphemeral(random);
    const slotKeys = new Map<string, Bytes>();
    for (const sequence of [1, 2, 3]) {
      const { text } = await sealMessage(
        {
          kind: 'message',
          channelSid: CHANNEL,
          senderCardId: alice.card.id,
          messageId: messageIdOf(random(16)),
          sequence,
          sentAt: 0,
          head: HEAD,
          content: encodeContent({ body: `number ${sequence}` }),
        },
        alice.signingKey,
        x25519Slots(ephemeral, [bob.card.encryptionKey, carol.card.encryptionKey]),
        random,
      );
      const afresh = await openAs(text, bob);
      const kept = await openAs(text, bob, slotKeys);
      expect(kept).toEqual(afresh);
      expect(kept?.message).toMatchObject({ sequence });
      if (kept?.slotKey) slotKeys.set(kept.slotKey.ephemeralKey, kept.slotKey.key);
    }
    expect(slotKeys.size).toBe(1);
    expect(ephemeral.slotKeys.size).toBe(2);
  });

  test('that is wrong opens nothing', async () => {
    const text = await seal(alice, [bob], 'Hey');
    const opened = await openAs(text, bob);
    const slotKeys = new Map([[opened?.slotKey?.ephemeralKey ?? '', random(32)]]);
    expect(await codeOf(openAs(text, bob, slotKeys))).toBe('COMMITMENT_MISMATCH');
  });

  test('lets each of a page be verified while the next one is decrypted', async () => {
    const slots = await slotsFor([bob]);
    const texts = await Promise.all(
      ['one', 'two', 'three'].map((body) => seal(alice, [bob], body, { slots })),
    );
    const first = await openAs(texts[0] ?? '', bob);
    const { ephemeralKey = '', key = new Uint8Array() } = first?.slotKey ?? {};
    const steps: string[] = [];
    const watched: VerifyingKey = {
      ...alice.card.signingKey,
      verify: (...given) => {
        steps.push('verified');
        return alice.card.signingKey.verify(...given);
      },
    };
    const findCard = (): Card => {
      steps.push('decrypted');
      return { ...alice.card, signingKey: watched };
    };
    const opener = { key: bob.encryptionKey, slotKeys: new Map([[ephemeralKey, key]]) };
    const context = { channelSid: CHANNEL, author: 'alice', opener, findCard };
    await Promise.all(texts.map((text) => openMessage(parseEnvelope(text), context)));
    expect(steps).toEqual(texts.flatMap(() => ['decrypted', 'verified']));
  });
});

test('a changed envelope is null or an EncryptionError, and never a message', async () => {
  const [one, two] = [
    base64urlnopad.decode((await seal(alice, [bob, carol], 'Hey')).slice(5)),
    base64urlnopad.decode((await seal(alice, [carol, bob], 'Hey')).slice(5)),
  ];
  const mutation = fc.record({
    at: fc.nat(one.length),
    remove: fc.oneof(fc.nat(4), fc.nat(one.length)),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .record({ from: fc.nat(two.length), to: fc.nat(two.length) })
        .map(({ from, to }) => two.slice(from, to)),
    ),
    again: fc.boolean(),
  });
  const splice = (
    bytes: Uint8Array,
    { at, remove, insert }: { at: number; remove: number; insert: Uint8Array },
  ): Uint8Array => concatBytes(bytes.subarray(0, at), insert, bytes.subarray(at + remove));
  const opening = async (text: string): Promise<void> => {
    try {
      expect(await openAs(text, bob)).toBeNull();
    } catch (error) {
      if (!isEncryptionError(error)) throw error;
    }
  };
  const original = base64urlnopad.encode(one);
  const copy = base64urlnopad.encode(two);
  await fc.assert(
    fc.asyncProperty(mutation, mutation, async (first, second) => {
      const bytes = splice(one, first);
      const mutated = base64urlnopad.encode(first.again ? splice(bytes, second) : bytes);
      if (mutated !== original && mutated !== copy) await opening(`e2e1.${mutated}`);
    }),
    { numRuns: runs(2000) },
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: codePoint }), fc.nat(original.length), async (text, at) => {
      await opening(text);
      await opening(`e2e1.${text}`);
      if (text !== '') await opening(`e2e1.${original.slice(0, at)}${text}${original.slice(at)}`);
    }),
    { numRuns: runs(300) },
  );
}, 600_000);

async function openAs(
  text: string,
  reader: Person,
  slotKeys: ReadonlyMap<string, Bytes> = new Map(),
): Promise<VerifiedMessage | null> {
  return openMessage(parseEnvelope(text), {
    channelSid: CHANNEL,
    author: 'alice',
    opener: { key: reader.encryptionKey, slotKeys },
    findCard: () => Promise.resolve(alice.card),
  });
}
