/**
 * A hundred thousand changed envelopes and cards (a million with LONG=1): none crashes, none is
 * accepted, and what is refused is refused in a time that grows no faster than its length.
 */
import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import {
  approveCard,
  base64url,
  checkApproval,
  createCard,
  curves,
  encodeContent,
  exportCard,
  importCard,
  isEncryptionError,
  messageIdOf,
  openMessage,
  parseEnvelope,
  parseIdentity,
  sealFollower,
  sealMessage,
  type Bytes,
  type Session,
  type SignedMessage,
} from 'twilio-chat-encryption/protocol';
import { concat } from '../../src/protocol/primitives.ts';
import { runs } from '../outcomes.ts';
import { APP_KEY, CHANNEL, person, random, slotsFor } from './people.ts';

const [alice, bob] = [await person('alice'), await person('bob')];
const SEED = 20_261_122;

/** Numbers below a limit, the same in every run (mulberry32, a public-domain generator). */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The bytes, changed: bits flipped, bytes set, cut out, doubled, or taken from `other`. */
function mutate(bytes: Bytes, other: Bytes, roll: (below: number) => number): Bytes {
  const at = roll(bytes.length);
  switch (roll(6)) {
    case 0: {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << roll(8));
      return flipped;
    }
    case 1: {
      const set = bytes.slice();
      const value = [0, 1, 0x7f, 0x80, 0xff, roll(256)][roll(6)] ?? 0;
      set.fill(value, at, at + 1 + roll(4));
      return set;
    }
    case 2:
      return concat(bytes.subarray(0, at), bytes.subarray(at + 1 + roll(40)));
    case 3: {
      const piece = bytes.subarray(at, at + 1 + roll(40));
      return concat(bytes.subarray(0, at), piece, bytes.subarray(at));
    }
    case 4:
      return concat(bytes.subarray(0, at), other.subarray(Math.min(at, other.length)));
    default:
      return mutate(mutate(bytes, other, roll), other, roll);
  }
}

interface Sample {
  readonly name: string;
  readonly bytes: Bytes;
  readonly other: Bytes;
  readonly session?: Session;
}

async function samples(): Promise<readonly Sample[]> {
  const common = {
    channelSid: CHANNEL,
    senderCardId: alice.card.id,
    messageId: messageIdOf(random(16)),
    sentAt: 1_700_000_000_000,
    content: encodeContent({ body: 'Hey Bob', attributes: { mood: 'good' } }),
  };
  const target = { cardId: alice.card.id, messageId: common.messageId, sequence: 1, revision: 1 };
  const message: SignedMessage = { ...common, kind: 'message', sequence: 1 };
  const edit: SignedMessage = { ...common, kind: 'edit', target };
  const key: SignedMessage = { ...common, kind: 'key', sequence: 2, content: new Uint8Array() };
  const seal = async (one: SignedMessage) =>
    sealMessage(one, alice.signingKey, await slotsFor([alice, bob]), random);
  const { session, bytes: keyBytes } = await seal(key);
  if (!session) throw new Error('A key message opens a session.');
  const follow = async (one: SignedMessage) =>
    (await sealFollower(one, alice.signingKey, session, 7, random)).bytes;
  const carrier = (await seal(message)).bytes;
  return [
    { name: 'a message', bytes: carrier, other: keyBytes },
    { name: 'an edit', bytes: (await seal(edit)).bytes, other: carrier },
    { name: 'a key message', bytes: keyBytes, other: carrier },
    { name: 'a follower', bytes: await follow(message), other: await follow(edit), session },
  ];
}

const SAMPLES = await samples();

describe('changed envelopes', () => {
  test.each(SAMPLES)(
    'of $name are null or an EncryptionError',
    async ({ bytes, other, session }) => {
      const roll = dice(SEED);
      const originals = new Set(SAMPLES.flatMap((one) => [text(one.bytes), text(one.other)]));
      const slotKeys = new Map<string, Bytes>();
      const open = async (changed: string) =>
        openMessage(parseEnvelope(changed), {
          channelSid: CHANNEL,
          author: 'alice',
          opener: { key: bob.encryptionKey, slotKeys },
          ...(session && { session }),
          findCard: () => Promise.resolve(alice.card),
        });
      // The slot key is known, as it is to who read the sender before: more of it is reached sooner.
      const opened = await open(text(bytes));
      if (opened?.slotKey) slotKeys.set(opened.slotKey.ephemeralKey, opened.slotKey.key);
      let refused = 0;
      for (let count = runs(16_000, 160_000); count > 0; count -= 1) {
        const changed = text(mutate(bytes, other, roll));
        if (originals.has(changed)) continue;
        expect(await outcome(() => open(changed))).toBe('refused');
        refused += 1;
      }
      expect(refused).toBeGreaterThan(10_000);
    },
  );
});

describe('changed cards', () => {
  test('are an EncryptionError, or are not approved', async () => {
    const roll = dice(SEED);
    const exported = base64url.decode(exportCard(alice.card)) ?? new Uint8Array();
    const other = base64url.decode(exportCard(bob.card)) ?? new Uint8Array();
    const originals = new Set([exported, other].map((bytes) => base64url.encode(bytes)));
    for (let count = runs(18_000, 180_000); count > 0; count -= 1) {
      const changed = base64url.encode(mutate(exported, other, roll));
      if (originals.has(changed)) continue;
      expect(await outcome(() => approved(changed))).toBe('refused');
    }
  });

  test('neither when their snapshot is changed inside a good export', async () => {
    const roll = dice(SEED + 1);
    for (let count = runs(18_000, 180_000); count > 0; count -= 1) {
      const snapshot = mutate(alice.card.snapshot, bob.card.snapshot, roll);
      const changed = exportCard({ ...alice.card, snapshot });
      if (changed === exportCard(alice.card)) continue;
      expect(await outcome(() => approved(changed))).toBe('refused');
    }
  });
});

async function approved(exported: string) {
  const card = await importCard(exported);
  await checkApproval(card, [APP_KEY_PUBLIC]);
  return card;
}

const APP_KEY_PUBLIC = await (await curves()).importVerifyingKey(APP_KEY.publicKey);

describe('refusing', () => {
  test('an envelope takes time in proportion to its length', async () => {
    const refuse = async (slots: number): Promise<void> => {
      const head = Uint8Array.of(1, 1, 1, 0, ...random(16), ...random(32), slots >> 8, slots & 255);
      const long = text(concat(head, manyRandom(slots * 36 + 32 + 528)));
      await outcome(() =>
        openMessage(parseEnvelope(long), {
          channelSid: CHANNEL,
          author: 'alice',
          opener: { key: bob.encryptionKey, slotKeys: new Map() },
          findCard: () => Promise.resolve(alice.card),
        }),
      );
    };
    await expectLinear(refuse, 256, 4096);
  });

  test('a card takes time in proportion to its length', async () => {
    const backEnd = await curves();
    const cardOf = async (fields: number): Promise<string> => {
      const entries = Array.from(
        { length: fields },
        (_, at) => [`name ${at}`, 'x'.repeat(250)] as const,
      );
      const card = await createCard(
        {
          identity: parseIdentity('alice'),
          createdAt: 0,
          fields: Object.fromEntries(entries),
        },
        await backEnd.importSigningKey(random(32)),
        await backEnd.importAgreementKey(random(32)),
      );
      return exportCard(await approveCard(card, alice.signingKey, 0));
    };
    const [small, large] = [await cardOf(1), await cardOf(16)];
    await expectLinear(
      async (fields) => {
        await outcome(() => approved(fields === 1 ? small : large));
      },
      1,
      16,
    );
  });
});

/** The larger input may cost as much more as it is longer, with room for a noisy machine. */
async function expectLinear(
  refuse: (size: number) => Promise<void>,
  small: number,
  large: number,
): Promise<void> {
  const times = new Map<number, number>();
  for (let round = 0; round < 40; round += 1) {
    for (const size of [small, large]) {
      const start = performance.now();
      await refuse(size);
      const took = performance.now() - start;
      // The least is what the work costs; all above it is the machine's.
      if (round > 5) times.set(size, Math.min(times.get(size) ?? Infinity, took));
    }
  }
  const ratio = (times.get(large) ?? Infinity) / (times.get(small) ?? 1);
  expect(ratio).toBeLessThan((3 * large) / small);
}

async function outcome(action: () => Promise<unknown>): Promise<string> {
  try {
    return (await action()) === null ? 'refused' : 'accepted';
  } catch (error) {
    if (isEncryptionError(error)) return 'refused';
    throw error;
  }
}

function text(bytes: Bytes): string {
  return `e2e1.${base64url.encode(bytes)}`;
}

/** More random bytes than WebCrypto gives at once. */
function manyRandom(length: number): Bytes {
  const parts = Array.from({ length: Math.ceil(length / 65_536) }, () => random(65_536));
  return concat(...parts).slice(0, length);
}
