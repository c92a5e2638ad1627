/**
 * A hundred thousand changed envelopes, sealed data and cards of both suites (a million with LONG=1):
 * none crashes, none is accepted, and what is refused is refused in a time that grows no faster than
 * its length.
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
  openData,
  openMessage,
  parseEnvelope,
  parseIdentity,
  sealData,
  sealFollower,
  sealMessage,
  type Bytes,
  type SealedMode,
  type Session,
  type SignedMessage,
  type SlotOpener,
  type SlotSealer,
  type Suite,
} from 'twilio-chat-encryption/protocol';
import { concat } from '../../src/protocol/primitives.ts';
import { runs } from '../outcomes.ts';
import {
  APP_KEY,
  CHANNEL,
  person,
  pqPerson,
  pqSlotsFor,
  random,
  slotsFor,
  type Person,
  HEAD,
} from './people.ts';

const [alice, bob] = [await person('alice'), await person('bob')];
const [pqAlice, pqBob] = [await pqPerson('alice'), await pqPerson('bob')];
const SEED = 20_261_122;
// With LONG=1: half a minute on an idle machine, and more on a busy one.
const PATIENCE_MILLISECONDS = 10 * 60_000;

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

/** How often a sample is changed: usually, and with LONG=1. */
type Rounds = readonly [usual: number, long: number];
const ROUNDS: Rounds = [16_000, 160_000];
// An envelope of suite 2 is five times as long, and a changed slot costs a decapsulation of X-Wing.
const PQ_ROUNDS: Rounds = [4000, 40_000];

interface Sample {
  readonly name: string;
  readonly sender: Person;
  readonly reader: Person;
  readonly rounds: Rounds;
  readonly bytes: Bytes;
  readonly other: Bytes;
  readonly session?: Session;
}

async function samples(
  suite: Suite,
  sender: Person,
  reader: Person,
  rounds: Rounds,
): Promise<readonly Sample[]> {
  const common = {
    channelSid: CHANNEL,
    senderCardId: sender.card.id,
    messageId: messageIdOf(random(16)),
    sentAt: 1_700_000_000_000,
    head: HEAD,
    content: encodeContent({ body: 'Hey Bob', attributes: { mood: 'good' } }),
  };
  const target = { cardId: sender.card.id, messageId: common.messageId, sequence: 1, revision: 1 };
  const message: SignedMessage = { ...common, kind: 'message', sequence: 1 };
  const edit: SignedMessage = { ...common, kind: 'edit', target };
  const key: SignedMessage = { ...common, kind: 'key', sequence: 2, content: new Uint8Array() };
  const seal = async (one: SignedMessage) =>
    sealMessage(one, sender.signingKey, await slotsOf(suite, [sender, reader]), random);
  const { session, bytes: keyBytes } = await seal(key);
  if (!session) throw new Error('A key message opens a session.');
  const follow = async (one: SignedMessage) =>
    (await sealFollower(one, sender.signingKey, session, 7, random)).bytes;
  const carrier = (await seal(message)).bytes;
  const people = { sender, reader, rounds };
  const of = (what: string): string => `${what} of suite ${suite}`;
  return [
    { name: of('a message'), bytes: carrier, other: keyBytes, ...people },
    { name: of('an edit'), bytes: (await seal(edit)).bytes, other: carrier, ...people },
    { name: of('a key message'), bytes: keyBytes, other: carrier, ...people },
    {
      name: of('a follower'),
      bytes: await follow(message),
      other: await follow(edit),
      session,
      ...people,
    },
  ];
}

function slotsOf(suite: Suite, people: readonly Person[]): Promise<SlotSealer> {
  return suite === 1 ? slotsFor(people) : pqSlotsFor(people);
}

function openerOf({ encryptionKey: key, pqEncryptionKey: pqKey }: Person): SlotOpener {
  return { key, slotKeys: new Map(), ...(pqKey && { pqKey }) };
}

const SAMPLES = [
  ...(await samples(1, alice, bob, ROUNDS)),
  ...(await samples(2, pqAlice, pqBob, PQ_ROUNDS)),
];

describe('changed envelopes', () => {
  test.each(SAMPLES)(
    'of $name are null or an EncryptionError',
    async ({ bytes, other, session, sender, reader, rounds }) => {
      const roll = dice(SEED);
      const originals = new Set(SAMPLES.flatMap((one) => [text(one.bytes), text(one.other)]));
      const slotKeys = new Map<string, Bytes>();
      const open = async (changed: string) =>
        openMessage(parseEnvelope(changed), {
          channelSid: CHANNEL,
          author: 'alice',
          opener: { ...openerOf(reader), slotKeys },
          ...(session && { session }),
          findCard: () => Promise.resolve(sender.card),
        });
      // The slot key is known, as it is to who read the sender before: more of it is reached sooner.
      const opened = await open(text(bytes));
      if (opened?.slotKey) slotKeys.set(opened.slotKey.ephemeralKey, opened.slotKey.key);
      expect(opened).not.toBeNull();
      let refused = 0;
      const wanted = runs(...rounds);
      for (let count = wanted; count > 0; count -= 1) {
        const changed = text(mutate(bytes, other, roll));
        if (originals.has(changed)) continue;
        expect(await outcome(() => open(changed))).toBe('refused');
        refused += 1;
      }
      expect(refused).toBeGreaterThan(wanted * 0.6);
    },
    PATIENCE_MILLISECONDS,
  );
});

describe('changed sealed data', () => {
  test.each([
    { suite: 1, sender: alice, reader: bob, rounds: ROUNDS },
    { suite: 2, sender: pqAlice, reader: pqBob, rounds: PQ_ROUNDS },
  ] as const)(
    'of suite $suite is null or an EncryptionError',
    async ({ suite, sender, reader, rounds }) => {
      const roll = dice(SEED);
      const seal = async (mode: SealedMode, content: Bytes) => {
        const slots = await slotsOf(suite, [sender, reader]);
        return (await sealData(mode, content, sender.signingKey, slots, random)).bytes;
      };
      const [bytes, other] = [await seal('data', random(300)), await seal('stream', random(32))];
      const originals = new Set([bytes, other].map(base64url.encode));
      const senders = [sender.card.signingKey];
      const open = (changed: Bytes) => openData('data', changed, openerOf(reader), senders);
      expect(await outcome(() => open(bytes))).toBe('accepted');
      for (let count = runs(...rounds) / 2; count > 0; count -= 1) {
        const changed = mutate(bytes, other, roll);
        if (originals.has(base64url.encode(changed))) continue;
        expect(await outcome(() => open(changed))).toBe('refused');
      }
    },
    PATIENCE_MILLISECONDS,
  );
});

describe.each<{ suite: Suite; alice: Person; bob: Person; rounds: Rounds }>([
  { suite: 1, alice, bob, rounds: [18_000, 180_000] },
  // Three quarters of such a card are the key, whose every change is found by the signature only.
  { suite: 2, alice: pqAlice, bob: pqBob, rounds: [1500, 15_000] },
])('changed cards of suite $suite', ({ alice, bob, rounds }) => {
  test(
    'are an EncryptionError, or are not approved',
    async () => {
      const roll = dice(SEED);
      const exported = base64url.decode(exportCard(alice.card)) ?? new Uint8Array();
      const other = base64url.decode(exportCard(bob.card)) ?? new Uint8Array();
      const originals = new Set([exported, other].map((bytes) => base64url.encode(bytes)));
      for (let count = runs(...rounds); count > 0; count -= 1) {
        const changed = base64url.encode(mutate(exported, other, roll));
        if (originals.has(changed)) continue;
        expect(await outcome(() => approved(changed))).toBe('refused');
      }
    },
    PATIENCE_MILLISECONDS,
  );

  test(
    'neither when their snapshot is changed inside a good export',
    async () => {
      const roll = dice(SEED + 1);
      for (let count = runs(...rounds); count > 0; count -= 1) {
        const snapshot = mutate(alice.card.snapshot, bob.card.snapshot, roll);
        const changed = exportCard({ ...alice.card, snapshot });
        if (changed === exportCard(alice.card)) continue;
        expect(await outcome(() => approved(changed))).toBe('refused');
      }
    },
    PATIENCE_MILLISECONDS,
  );
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
