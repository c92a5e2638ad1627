/** Heads of the log that do not follow from one another, are old, or are nobody's. */
import {
  base64url,
  curves,
  encodeHead,
  exportCard,
  lookupToJson,
  signHead,
  type LogHead,
} from 'twilio-chat-encryption/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { codeOf } from '../outcomes.ts';
import { LOG_KEY, person, random } from '../protocol/people.ts';
import { forged } from './forged.ts';
import { Fork, showing } from './fork.ts';
import { told } from './heard.ts';
import { all, answering, type Lie } from './lies.ts';
import { Room } from './room.ts';
import { later, MaliciousServer, type Person } from './server.ts';

const HOUR = 60;

let server: MaliciousServer;
let alice: Person;
let bob: Person;
let chat: Room;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
  server = new MaliciousServer();
  [alice, bob] = [await server.open('alice'), await server.open('bob')];
  chat = new Room('alice', 'bob');
});

afterEach(() => {
  vi.useRealTimers();
});

const text = (head: LogHead): string => base64url.encode(encodeHead(head));

/** Somebody whom nobody has seen; gives a room with them. */
async function stranger(...members: readonly string[]): Promise<Room> {
  const name = `stranger ${server.truth.log.size}`;
  await publish(name);
  return new Room(name, ...members);
}

async function publish(identity: string): Promise<void> {
  await server.truth.publish(exportCard((await person(identity)).card));
}

/** Both know each other from here on. */
async function meet(): Promise<void> {
  expect(await chat.tell(alice.device, bob.device, 'hello')).toBe('hello (new)');
  expect(await chat.tell(bob.device, alice.device, 'hello')).toBe('hello (pinned)');
}

describe('a log that Alice alone is shown', () => {
  test.each([0, 1, 2])(
    'is found out by both with the first message, when the other log has %i entries more',
    async (more) => {
      // Bob knows Alice, and she does not know him.
      await bob.device.safetyNumbers.trustOf('alice');
      const evil = await forged('bob');
      const fork = await Fork.of(server.truth);
      await fork.publish(exportCard(evil.card));
      server.tell(showing(fork), 'alice');
      for (let count = 0; count < more; count += 1) await publish(`other ${count}`);
      // Whom nobody has seen, nobody can tell from an impostor; and this one is told of.
      const first = await chat.send(alice.device, 'hello');
      expect(chat.readableWith(evil.encryptionSecret)).toEqual([first]);
      expect(await chat.read(bob.device, first)).toMatch(/^hello \(pinned\)/);
      const evidence = await told(bob, 'splitView');
      expect(await bob.device.splitView()).toEqual(evidence);
      await publish('growing on');
      later();
      expect(await chat.tell(bob.device, alice.device, 'what?')).toBe('what? (pinned)');
      await told(alice, 'splitView');
      // From now on nobody who is new is trusted, also in later runs and by an honest server.
      bob = await server.restart(bob);
      const room = await stranger('bob');
      expect(await codeOf(room.send(bob.device, 'secret'))).toBe('SPLIT_VIEW');
      server.repent();
      later();
      for (const who of [chat, await stranger('alice')]) {
        expect(await codeOf(who.send(alice.device, 'secret'))).toBe('SPLIT_VIEW');
      }
      expect(chat.readableWith(evil.encryptionSecret)).toEqual([first]);
      expect(await alice.device.splitView()).not.toBeNull();
    },
  );

  test('gives nothing to a card that it has more of somebody who is pinned', async () => {
    await meet();
    const evil = await forged('bob');
    const fork = await Fork.of(server.truth);
    await fork.publish(exportCard(evil.card));
    server.tell(showing(fork), 'alice');
    later();
    expect(await chat.tell(alice.device, bob.device, 'for one card')).toMatch(/^for one card/);
    expect(await told(alice, 'keyChanged')).toEqual({ identity: 'bob', cardIds: [evil.card.id] });
    await told(bob, 'splitView');
    expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
    expect(await alice.device.safetyNumbers.trustOf('bob')).toMatchObject([
      { trust: 'pinned' },
      { cardId: evil.card.id, trust: 'changed' },
    ]);
  });

  test('is found out also if it becomes the other one, with the entry hidden between them', async () => {
    await meet();
    const evil = await forged('alice');
    const fork = await Fork.of(server.truth);
    await fork.publish(exportCard(evil.card));
    server.tell(showing(fork), 'bob');
    later();
    // Bob is shown a card of Alice; then the log that all others see again.
    await bob.device.cards.find('alice');
    server.repent();
    await publish('other');
    await publish('another');
    expect(await codeOf(bob.device.cards.find('alice'))).toBe('SPLIT_VIEW');
    await told(bob, 'splitView');
  });
});

/** The log as it is, under a head that is made otherwise. */
function heading(make: (size: number) => LogHead | Promise<LogHead>): Lie {
  return answering(async (answer) => ({
    ...answer,
    head: text(await make(server.truth.log.size)),
  }));
}

/** The log as it was before its last entries, signed now. */
const smaller: Lie = answering(async (_, identities) => {
  const { log } = server.truth;
  const size = log.size - 2;
  return {
    head: text(await log.head(Date.now(), size)),
    lookup: lookupToJson(await log.lookup(identities, size)),
    consistency: [],
  };
});

const replayed: Lie = answering(async (_, identities) => {
  const { log } = server.truth;
  const size = log.size - 2;
  return {
    head: text(await log.head(Date.UTC(2026, 0, 1), size)),
    lookup: lookupToJson(await log.lookup(identities, size)),
    consistency: [],
  };
});

const refusing: Lie = (honest) => ({
  consistency: (from) => honest.consistency(from, Number.MAX_SAFE_INTEGER),
});
const disproving: Lie = () => ({
  consistency: () => Promise.resolve([base64url.encode(random(32))]),
});
const grown = (consistency: () => readonly string[]): Lie =>
  answering(async (answer) => {
    await publish(`growing ${server.truth.log.size}`);
    const { log } = server.truth;
    return { ...answer, head: text(await log.head(Date.now())), consistency: consistency() };
  });

const attacks: readonly (readonly [string, Lie, string, 'is over then' | 'stays'])[] = [
  ['that is smaller, and is shown to come before', smaller, 'LOG_STALE', 'is over then'],
  ['that is replayed', replayed, 'LOG_STALE', 'is over then'],
  ['that is smaller, with a wrong proof', all(smaller, disproving), 'SPLIT_VIEW', 'is over then'],
  ['that is smaller, without a proof', all(smaller, refusing), 'SPLIT_VIEW', 'is over then'],
  [
    'that has grown, with a wrong proof',
    grown(() => [base64url.encode(random(32))]),
    'SPLIT_VIEW',
    'is over then',
  ],
  ['that has grown, without a proof', grown(() => []), 'SPLIT_VIEW', 'is over then'],
  ['that has grown, with a proof of no bytes', grown(() => ['?']), 'LOG_INVALID', 'is over then'],
  [
    'of the same size with another root',
    heading((size) => signHead(LOG_KEY, { size, root: random(32), signedAt: Date.now() })),
    ...(['SPLIT_VIEW', 'stays'] as const),
  ],
  [
    'that another key signed',
    heading(async (size) => {
      const { root, signedAt } = await server.truth.log.head(Date.now(), size);
      const other = await (await curves()).importSigningKey(random(32));
      return signHead(other, { size, root, signedAt });
    }),
    ...(['LOG_KEY_UNKNOWN', 'is over then'] as const),
  ],
  [
    'whose signature is of another size',
    heading(async (size) => ({ ...(await server.truth.log.head(Date.now())), size: size + 1 })),
    ...(['LOG_KEY_UNKNOWN', 'is over then'] as const),
  ],
  [
    'that is none',
    answering((answer) => ({ ...answer, head: 'AAAA' })),
    ...(['LOG_INVALID', 'is over then'] as const),
  ],
];

test.each(attacks)(
  'a head %s: nothing is sent by it, and reading goes on',
  async (_, lie, code, end) => {
    await meet();
    const room = await stranger('alice');
    await publish('one more');
    await alice.device.cards.find('bob');
    later();
    server.tell(lie, 'alice');
    const count = chat.posts.length;
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe(code);
    expect(await codeOf(room.send(alice.device, 'secret'))).toBe(code);
    expect(await codeOf(alice.device.devices.list())).toBe(code);
    expect(chat.posts).toHaveLength(count);
    expect(room.posts).toEqual([]);
    const isSplit = code === 'SPLIT_VIEW';
    expect(alice.heard.splitView).toHaveLength(isSplit ? 1 : 0);
    expect((await alice.device.splitView()) !== null).toBe(isSplit);
    expect(await chat.tell(bob.device, alice.device, 'still here')).toBe('still here (pinned)');

    server.repent();
    // A root of random bytes is the start of nothing: only the growing log shows that, to who is pinned.
    await publish('growing on');
    expect(await chat.tell(alice.device, bob.device, 'back')).toBe('back (pinned)');
    if (end === 'stays') expect(await codeOf(room.send(alice.device, 'x'))).toBe('SPLIT_VIEW');
    else expect(await room.send(alice.device, 'welcome')).toBe(0);
    expect((await alice.device.splitView()) !== null).toBe(end === 'stays');
    expect(alice.heard.keyChanged).toEqual([]);
  },
);

describe('a head that is', () => {
  test.each([
    ['a day old', 0, 25 * HOUR],
    ['of the future', 10, 0],
  ])(
    '%s: nobody new is trusted, and those who are pinned get messages',
    async (_, ahead, passed) => {
      await meet();
      const room = await stranger('alice');
      const signedAt = Date.now() + ahead * 60_000;
      server.tell(
        heading((size) => server.truth.log.head(signedAt, size)),
        'alice',
      );
      later(passed);
      expect(await codeOf(room.send(alice.device, 'secret'))).toBe('LOG_STALE');
      const [name = ''] = await room.outlet('alice').members();
      expect(await codeOf(alice.device.safetyNumbers.trustOf(name))).toBe('LOG_STALE');
      expect(room.posts).toEqual([]);
      const exchanged = [
        await chat.tell(alice.device, bob.device, 'hello'),
        await chat.tell(bob.device, alice.device, 'hello'),
      ];
      expect(exchanged).toEqual(['hello (pinned)', 'hello (pinned)']);
      server.repent();
      await publish('growing on');
      later();
      expect(await room.send(alice.device, 'welcome')).toBe(0);
    },
  );
});

test('a head of a log that there is not, shown at first, is found out when the true one is', async () => {
  // Signed by the log’s key, and of more entries than there will ever be.
  const root = random(32);
  server.tell(
    heading(() => signHead(LOG_KEY, { size: 2 ** 50, root, signedAt: Date.now() })),
    'carol',
  );
  const carol = await server.open('carol');
  const room = new Room('alice', 'carol');
  expect(await codeOf(room.send(carol.device, 'secret'))).toBe('LOG_INVALID');
  server.repent();
  expect(await codeOf(room.send(carol.device, 'secret'))).toBe('SPLIT_VIEW');
  await told(carol, 'splitView');
  expect(room.posts).toEqual([]);
});
