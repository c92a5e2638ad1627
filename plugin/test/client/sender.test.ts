import { EncryptionError, MemoryKeyStore, type KeyStore } from 'twilio-chat-encryption';
import { describe, expect, test } from 'vitest';
import type { CardBook } from '../../src/client/card-book.ts';
import type { Pins } from '../../src/client/pins.ts';
import { recipientPolicy } from '../../src/client/recipient-policy.ts';
import { encryptedChannels } from '../../src/client/encrypted-channels.ts';
import type { Outlet } from '../../src/client/outlet.ts';
import { sender, type Sender } from '../../src/client/sender.ts';
import { parseEnvelope } from '../../src/protocol/header.ts';
import type { Identity } from '../../src/protocol/identifiers.ts';
import { base64url, type Bytes } from '../../src/protocol/primitives.ts';
import { CHANNEL, open, person, pqPerson, random } from '../protocol/people.ts';
import { edited } from './edited.ts';
import { foundOf } from './histories.ts';
import { ownKeys } from './own-keys.ts';

const alice = await person('alice');
const bob = await person('bob');

/** A sender that knows these people, all of them pinned, on a clock that the test sets. */
function senderOf(
  people: readonly (typeof bob)[],
  clock: { now: number },
  source = random,
  keyStore: KeyStore = new MemoryKeyStore(),
  self = alice,
): Sender {
  const cards: CardBook = {
    get: () => Promise.reject(new Error('not asked for')),
    find: (identities) =>
      Promise.resolve(
        new Map(
          identities.map((identity) => [
            identity,
            foundOf(
              [self, ...people]
                .map(({ card }) => card)
                .filter((card) => card.identity === identity),
            ),
          ]),
        ),
      ),
    known: () => [],
    stateOf: () => null,
    historyOf: () => null,
    foundAt: () => -Infinity,
    ask: () => Promise.reject(new Error('not asked for')),
    refresh: () => undefined,
  };
  const pins: Pins = {
    knows: () => Promise.resolve(true),
    check: (_, found) => Promise.resolve(new Map(found.map(({ id }) => [id, 'pinned'] as const))),
    trusted: (people) =>
      Promise.resolve(
        new Map([...people].map(([identity, seen]) => [identity, seen.cards] as const)),
      ),
    acknowledge: () => Promise.resolve([]),
    pin: () => Promise.resolve(),
    markVerified: () => Promise.resolve(),
  };
  return sender({
    keys: ownKeys(self),
    records: keyStore,
    recordsOf: () => keyStore,
    cards,
    pins,
    random: source,
    now: () => clock.now,
    encrypted: encryptedChannels(keyStore),
    policy: recipientPolicy(keyStore, self.card.identity, 'open', () => undefined),
    sessions: { keep: () => Promise.resolve() },
  });
}

/** Sends, and gives what was posted. */
async function seal(out: Sender, members: readonly Identity[]): Promise<string> {
  const posted: string[] = [];
  const outlet: Outlet = {
    channelSid: CHANNEL,
    limit: 32_768,
    members: () => Promise.resolve(members),
    post: (text) => Promise.resolve(posted.push(text) - 1),
    find: () => Promise.resolve(null),
  };
  await out.send(outlet, { body: 'x' });
  return posted.at(-1) ?? '';
}

function header(text: string): { ephemeral: string; slots: number } {
  const bytes = base64url.decode(text.slice(5)) ?? new Uint8Array();
  return {
    ephemeral: bytes.slice(20, 52).join(),
    slots: (bytes[52] ?? 0) * 256 + (bytes[53] ?? 0),
  };
}

const HOUR = 60 * 60_000;

describe('a sender', () => {
  test('uses an ephemeral key for an hour at most, and for a thousand messages', async () => {
    const clock = { now: 10 * HOUR };
    const out = senderOf([alice, bob], clock);
    const send = async (): Promise<string> =>
      header(await seal(out, [bob.card.identity])).ephemeral;
    const first = await send();
    clock.now += HOUR - 1;
    expect(await send()).toBe(first);
    clock.now += 1;
    const second = await send();
    expect(second).not.toBe(first);
    for (let count = 1; count < 1000; count += 1) await send();
    expect(await send()).not.toBe(second);
  });

  test('renews the ephemeral key when the clock was set back', async () => {
    const clock = { now: 10 * HOUR };
    const out = senderOf([alice, bob], clock);
    const first = header(await seal(out, [bob.card.identity]));
    clock.now -= 1;
    const second = header(await seal(out, [bob.card.identity]));
    expect(second.ephemeral).not.toBe(first.ephemeral);
  });

  test('gives a key one slot, whoever else put it on a card', async () => {
    // Nobody proves that the encryption key on a card is theirs.
    const mallory = await person('mallory', bob.encryptionSecret);
    const out = senderOf([alice, bob, mallory], { now: HOUR });
    const identities = [bob.card.identity, mallory.card.identity];
    expect(header(await seal(out, identities)).slots).toBe(2);
  });

  test('works again after making an ephemeral key failed once', async () => {
    let fails = true;
    const source = (length: number): Bytes => {
      // Only an ephemeral key is asked for as 32 bytes before anything else is.
      if (fails && length === 32) throw new DOMException('no entropy', 'OperationError');
      return random(length);
    };
    const out = senderOf([alice, bob], { now: HOUR }, source);
    await expect(seal(out, [bob.card.identity])).rejects.toThrow('no entropy');
    fails = false;
    expect(header(await seal(out, [bob.card.identity])).slots).toBe(2);
  });
});

/** A channel that keeps what is posted; a test may fail it. */
function channelOutlet(): Outlet & { readonly bodies: string[]; fail: 'before' | 'after' | null } {
  const bodies: string[] = [];
  const outlet = {
    bodies,
    fail: null as 'before' | 'after' | null,
    channelSid: CHANNEL,
    limit: 32_768,
    members: () => Promise.resolve([bob.card.identity]),
    post(text: string) {
      if (outlet.fail !== 'before') bodies.push(text);
      // As a process that stops here: nobody ever learns how it went.
      return outlet.fail
        ? new Promise<number>(() => undefined)
        : Promise.resolve(bodies.length - 1);
    },
    find(text: string) {
      const at = bodies.indexOf(text);
      return Promise.resolve(at === -1 ? null : at);
    },
  };
  return outlet;
}

describe('a device that stopped while it was sending', () => {
  const clock = { now: HOUR };

  async function stopped(fail: 'before' | 'after') {
    const keyStore = new MemoryKeyStore();
    const outlet = channelOutlet();
    outlet.fail = fail;
    const sending = senderOf([alice, bob], clock, random, keyStore).send(outlet, { body: 'one' });
    await expect.poll(() => keyStore.get(`outgoing/${alice.card.id}/${CHANNEL}`)).not.toBeNull();
    void sending;
    outlet.fail = null;
    // Its locks ended with it.
    const locks = new MemoryKeyStore();
    const left: KeyStore = {
      get: (name) => keyStore.get(name),
      update: (name, change) => keyStore.update(name, change),
      clear: (scope) => keyStore.clear(scope),
      lock: (name, work) => locks.lock(name, work),
    };
    return { keyStore: left, outlet };
  }

  test('posts the very bytes before its next message, if they did not arrive', async () => {
    const { keyStore, outlet } = await stopped('before');
    expect(
      await senderOf([alice, bob], clock, random, keyStore).send(outlet, { body: 'two' }),
    ).toBe(1);
    expect(outlet.bodies).toHaveLength(2);
    // And it is done: nothing is posted a second time.
    expect(
      await senderOf([alice, bob], clock, random, keyStore).send(outlet, { body: 'three' }),
    ).toBe(2);
    expect(new Set(outlet.bodies).size).toBe(3);
  });

  test('posts nothing again that did arrive', async () => {
    const { keyStore, outlet } = await stopped('after');
    await expect.poll(() => outlet.bodies.length).toBe(1);
    await senderOf([alice, bob], clock, random, keyStore).send(outlet, { body: 'two' });
    expect(outlet.bodies).toHaveLength(2);
  });

  test('does not post to recipients of before what is not for those of now', async () => {
    const { keyStore, outlet } = await stopped('before');
    const carol = await person('carol');
    const members = () => Promise.resolve([carol.card.identity]);
    await senderOf([alice, carol], clock, random, keyStore).send(
      { ...outlet, members },
      { body: 'two' },
    );
    expect(outlet.bodies).toHaveLength(1);
    expect(header(outlet.bodies[0] ?? '').slots).toBe(2);
  });
});

describe('a number', () => {
  const clock = { now: HOUR };

  test('is not spent on what cannot be sent', async () => {
    const keyStore = new MemoryKeyStore();
    const out = senderOf([alice, bob], clock, random, keyStore);
    const outlet = channelOutlet();
    const tooLarge = { body: 'x'.repeat(40_000) };
    await expect(out.send(outlet, tooLarge)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(await keyStore.get(`outgoing/${alice.card.id}/${CHANNEL}`)).toBeNull();
  });

  test('is not used again after the storage was rolled back, once its message was read', async () => {
    const numbers = async (keyStore: KeyStore, seen: number): Promise<number> => {
      const out = senderOf([alice, bob], clock, random, keyStore);
      await out.sawOwn(CHANNEL, seen);
      const outlet = channelOutlet();
      await out.send(outlet, { body: 'x' });
      const opened = await open(outlet.bodies[0] ?? '', bob, alice);
      return opened?.message.kind === 'message' ? opened.message.sequence : 0;
    };
    expect(await numbers(new MemoryKeyStore(), 41)).toBe(42);
  });

  test('is not used twice by two tabs at once', async () => {
    const keyStore = new MemoryKeyStore();
    const tabs = [1, 2].map(() => senderOf([alice, bob], clock, random, keyStore));
    const outlet = channelOutlet();
    await Promise.all(tabs.flatMap((tab) => [1, 2, 3].map(() => tab.send(outlet, { body: 'x' }))));
    const opened = await Promise.all(
      [...new Set(outlet.bodies)].map((body) => open(body, bob, alice)),
    );
    const numbers = opened.map((one) => one?.message.kind === 'message' && one.message.sequence);
    expect(numbers.toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

test('an unknown delivery is tried three times with the same bytes', async () => {
  const out = senderOf([alice, bob], { now: HOUR });
  const outlet = channelOutlet();
  const tried: string[] = [];
  const post = (text: string): Promise<number> => {
    tried.push(text);
    return Promise.reject(new EncryptionError('DELIVERY_UNKNOWN', 'cut off'));
  };
  await expect(out.send({ ...outlet, post }, { body: 'x' })).rejects.toMatchObject({
    code: 'DELIVERY_UNKNOWN',
  });
  expect(tried).toHaveLength(3);
  expect(new Set(tried).size).toBe(1);
});

describe('a device with a key of suite 2', async () => {
  const clock = { now: HOUR };
  const pqAlice = await pqPerson('alice');
  const pqBob = await pqPerson('bob');

  test('seals with suite 2, for the cards that have such a key', async () => {
    const people = [pqAlice, alice, pqBob, bob];
    const out = senderOf(people, clock, random, new MemoryKeyStore(), pqAlice);
    const text = await seal(out, [bob.card.identity]);
    const envelope = parseEnvelope(text);
    if (envelope.type === 'follower') expect.fail();
    expect(envelope.slots).toMatchObject({ suite: 2, slotLength: 1156 });
    expect(envelope.slots.slots).toHaveLength(2 * 1156);
    expect((await open(text, pqBob, pqAlice))?.content).toEqual({ body: 'x' });
    expect(await open(text, bob, pqAlice)).toBeNull();
  });

  test('gives a key one slot, whoever else put it on a card', async () => {
    const mallory = await person('mallory', random(32), pqBob.pqEncryptionKey);
    const people = [pqAlice, pqBob, mallory];
    const out = senderOf(people, clock, random, new MemoryKeyStore(), pqAlice);
    const envelope = parseEnvelope(await seal(out, [bob.card.identity, mallory.card.identity]));
    expect(envelope.type === 'carrier' && envelope.slots.slots.length).toBe(2 * 1156);
  });

  test('opens sessions of suite 2, and goes on with them after a restart', async () => {
    const many = await Promise.all(Array.from({ length: 16 }, (_, at) => pqPerson(`p${at}`)));
    const keyStore = new MemoryKeyStore();
    const posted: string[] = [];
    const outlet: Outlet = {
      ...channelOutlet(),
      members: () => Promise.resolve(many.map(({ card }) => card.identity)),
      post: (text) => Promise.resolve(posted.push(text) - 1),
    };
    for (const body of ['one', 'two']) {
      const out = senderOf([pqAlice, ...many], clock, random, keyStore, pqAlice);
      await out.send(outlet, { body });
    }
    const envelopes = posted.map((text) => parseEnvelope(text));
    expect(envelopes.map(({ type, suite }) => [type, suite])).toEqual([
      ['key', 2],
      ['follower', 2],
      ['follower', 2],
    ]);
    const [reader] = many;
    const opened = await open(posted[0] ?? '', reader ?? pqBob, pqAlice);
    for (const [at, body] of ['one', 'two'].entries()) {
      const follower = posted[at + 1] ?? '';
      const read = await open(follower, reader ?? pqBob, pqAlice, opened?.session);
      expect(read?.content).toEqual({ body });
    }
  });

  test.each([2, 4, 16, 17])(
    'sends content of any length that Twilio takes, to %i cards',
    async (count) => {
      const others = await Promise.all(
        Array.from({ length: count - 1 }, (_, at) => pqPerson(`p${at}`)),
      );
      const out = senderOf([pqAlice, ...others], clock, random, new MemoryKeyStore(), pqAlice);
      const outlet = {
        ...channelOutlet(),
        members: () => Promise.resolve(others.map(({ card }) => card.identity)),
      };
      // The longest that a follower holds: 23552 is a padded length, and the next one, 24576, does not fit.
      const longest = 23_552 - 64 - (1 + 34 + 32 + 16 + 1 + 8 + 8 + 112 + 4) - '{"body":""}'.length;
      for (const length of [longest, 20_000, longest, 1]) {
        await out.send(outlet, { body: 'x'.repeat(length) });
      }
      const tooLong = out.send(outlet, { body: 'x'.repeat(longest + 1) });
      await expect(tooLong).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
      const kinds = outlet.bodies.map((text) => parseEnvelope(text).type);
      // Up to 16 cards, what fits with its slots goes on bringing its key itself.
      expect(kinds).toEqual(
        {
          2: ['key', 'follower', 'carrier', 'follower', 'carrier'],
          4: ['key', 'follower', 'follower', 'follower', 'carrier'],
          16: ['key', 'follower', 'follower', 'follower', 'carrier'],
          17: ['key', 'follower', 'follower', 'follower', 'follower'],
        }[count],
      );
      for (const text of outlet.bodies) expect(text.length).toBeLessThanOrEqual(outlet.limit);
      const [reader] = others;
      if (!reader) expect.fail();
      const opened = await open(outlet.bodies[0] ?? '', reader, pqAlice);
      const read = await open(outlet.bodies[1] ?? '', reader, pqAlice, opened?.session);
      expect(read?.content.body).toHaveLength(longest);
    },
  );

  test('edits to content of any length that Twilio takes', async () => {
    const others = await Promise.all(Array.from({ length: 15 }, (_, at) => pqPerson(`p${at}`)));
    const out = senderOf([pqAlice, ...others], clock, random, new MemoryKeyStore(), pqAlice);
    const outlet = {
      ...channelOutlet(),
      members: () => Promise.resolve(others.map(({ card }) => card.identity)),
    };
    const text = await edited(out, outlet, pqAlice.card.id, 'x'.repeat(20_000));
    expect(text.length).toBeLessThanOrEqual(outlet.limit);
    const [keyMessage = ''] = outlet.bodies;
    const [reader] = others;
    if (!reader) expect.fail();
    const opened = await open(keyMessage, reader, pqAlice);
    const read = await open(text, reader, pqAlice, opened?.session);
    expect(read?.content.body).toHaveLength(20_000);
    expect(read?.message.kind).toBe('edit');
  });

  test('opens no session for what is too long anyway', async () => {
    const keyStore = new MemoryKeyStore();
    const others = await Promise.all(Array.from({ length: 16 }, (_, at) => pqPerson(`p${at}`)));
    const outlet = channelOutlet();
    for (const members of [[bob.card.identity], others.map(({ card }) => card.identity)]) {
      const out = senderOf([pqAlice, pqBob, ...others], clock, random, keyStore, pqAlice);
      const sent = out.send(
        { ...outlet, members: () => Promise.resolve(members) },
        { body: 'x'.repeat(40_000) },
      );
      await expect(sent).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    }
    expect(outlet.bodies).toEqual([]);
    expect(await keyStore.get(`outgoing/${pqAlice.card.id}/${CHANNEL}`)).toBeNull();
  });

  test('never goes back to suite 1 in a channel, not with another card either', async () => {
    const keyStore = new MemoryKeyStore();
    await seal(senderOf([pqAlice, pqBob], clock, random, keyStore, pqAlice), [bob.card.identity]);
    const outlet = channelOutlet();
    const older = senderOf([alice, bob], clock, random, keyStore, alice);
    await expect(older.send(outlet, { body: 'x' })).rejects.toMatchObject({
      code: 'SUITE_DOWNGRADE',
    });
    await expect(edited(older, outlet, alice.card.id, 'x')).rejects.toMatchObject({
      code: 'SUITE_DOWNGRADE',
    });
    expect(outlet.bodies).toEqual([]);
    await senderOf([pqAlice, pqBob], clock, random, keyStore, pqAlice).send(outlet, { body: 'x' });
    expect(outlet.bodies).toHaveLength(1);
  });
});

test('a refusal after an unknown attempt leaves it unknown whether the message arrived', async () => {
  const out = senderOf([alice, bob], { now: HOUR });
  const failures: Error[] = [
    new EncryptionError('DELIVERY_UNKNOWN', 'cut off'),
    Object.assign(new Error('Too many requests.'), { status: 429 }),
  ];
  const outlet = {
    ...channelOutlet(),
    post: () => Promise.reject(failures.shift() ?? new Error('once more')),
  };
  await expect(out.send(outlet, { body: 'x' })).rejects.toMatchObject({
    code: 'DELIVERY_UNKNOWN',
    cause: { status: 429 },
  });
});
