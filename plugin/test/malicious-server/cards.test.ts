/** Cards that are not their owner's, or do not hold: nobody's in the log of everybody. */
import {
  createRevocation,
  curves,
  exportCard,
  type Card,
  type CardId,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { codeOf } from '../outcomes.ts';
import { APP_KEY, random, person, seal, type Person as Holder } from '../protocol/people.ts';
import { forged, plant, type Forgery } from './forged.ts';
import { told } from './heard.ts';
import { Room } from './room.ts';
import { later, MaliciousServer, type Person } from './server.ts';

const backEnd = await curves();

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

async function meet(): Promise<void> {
  expect(await chat.tell(alice.device, bob.device, 'hello')).toBe('hello (new)');
}

const trustOf = async ({ device }: Person, identity: string): Promise<[CardId, string][]> =>
  (await device.safetyNumbers.trustOf(identity)).map(({ cardId, trust }) => [cardId, trust]);

/** How a card in Bob’s name looks that is not his. */
const forgeries: Readonly<Record<string, () => Promise<Forgery>>> = {
  'stands alone': () => Promise.resolve({}),
  'says that it replaces his, by its own signature': async () => ({
    replaces: [bob.device.card().id, await backEnd.importSigningKey(random(32))],
  }),
  'says that it replaces his, by the application’s signature': () =>
    Promise.resolve({ replaces: [bob.device.card().id, APP_KEY] }),
  'says that his vouches for it, by another signature': async () => ({
    endorsed: [bob.device.card().id, await backEnd.importSigningKey(random(32))],
  }),
  'is vouched for by a card that ended': () => by(ended),
  'replaces a card that ended': async () => ({ replaces: (await by(ended)).endorsed }),
  'is vouched for by another card of the server’s': () => by(other('bob')),
  'is vouched for by a card of somebody else': () => by(other('mallory')),
  'replaces a card of somebody else': async () => ({
    replaces: (await by(other('mallory'))).endorsed,
  }),
};

async function by(holder: () => Promise<Holder>): Promise<Required<Pick<Forgery, 'endorsed'>>> {
  const { card, signingKey } = await holder();
  return { endorsed: [card.id, signingKey] };
}

function other(identity: string): () => Promise<Holder> {
  return async () => {
    const made = await forged(identity);
    await plant(server.truth, made.card);
    return made;
  };
}

/** An old phone of Bob's, which he revoked, and whose key was found. */
async function ended(): Promise<Holder> {
  const phone = await person('bob');
  await server.truth.publish(exportCard(phone.card));
  await bob.device.devices.list();
  await bob.device.acknowledge('bob', [phone.card.id]);
  await bob.device.devices.revoke(phone.card.id);
  bob.heard.ownCardUnknown.length = 0;
  return phone;
}

describe('a card in Bob’s name, in the log of all, which', () => {
  test.each(Object.entries(forgeries))(
    '%s: Bob is told, and who knows him gives it nothing',
    async (_, forgery) => {
      await meet();
      const evil = await forged('bob', await forgery());
      await plant(server.truth, evil.card);
      later();
      const message = await chat.tell(alice.device, bob.device, 'for Bob');
      expect(message).toBe('for Bob (pinned)');
      expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
      const { cardIds } = await told(alice, 'keyChanged');
      expect(cardIds).toContain(evil.card.id);
      expect(await trustOf(alice, 'bob')).toContainEqual([evil.card.id, 'changed']);
      expect(await trustOf(alice, 'bob')).toContainEqual([bob.device.card().id, 'pinned']);
      // With that one message: it says under which head it was written.
      expect((await told(bob, 'ownCardUnknown')).cardIds).toContain(evil.card.id);
      expect(await codeOf(bob.device.safetyNumbers.safetyNumber('alice'))).toBe('KEY_CHANGED');
      await chat.send(bob.device, 'not from my phone');
      expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
    },
  );

  test('is there when somebody sees Bob for the first time: he is told with their first message', async () => {
    const evil = await forged('bob');
    await plant(server.truth, evil.card);
    const first = await chat.send(alice.device, 'hello');
    // Nobody can tell them apart at first sight, but by comparing. That there are two is told of.
    expect(chat.readableWith(evil.encryptionSecret)).toEqual([first]);
    const cardIds = [bob.device.card().id, evil.card.id];
    expect(alice.heard.unconnectedCards).toEqual([{ identity: 'bob', cardIds }]);
    await chat.read(bob.device, first);
    expect((await told(bob, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
    expect(await codeOf(bob.device.safetyNumbers.safetyNumber('alice'))).toBe('KEY_CHANGED');
    for (const [, trust] of await trustOf(alice, 'bob')) expect(trust).not.toBe('verified');
  });

  test('is approved by a key that nobody pinned, or by none: it is not there', async () => {
    await meet();
    const evils = [
      await forged('bob', { approvedBy: await backEnd.importSigningKey(random(32)) }),
      await forged('bob', { approvedBy: null }),
    ];
    for (const { card } of evils) await plant(server.truth, card);
    const carol = await server.open('carol');
    later();
    const room = new Room('carol', 'bob');
    await room.send(carol.device, 'at first sight');
    await chat.send(alice.device, 'to who is known');
    for (const { encryptionSecret } of evils) {
      for (const one of [chat, room]) expect(one.readableWith(encryptionSecret)).toEqual([]);
    }
    expect((await trustOf(carol, 'bob')).map(([id]) => id)).toEqual([bob.device.card().id]);
    await bob.device.devices.list();
    expect(alice.heard.keyChanged).toEqual([]);
    expect(bob.heard.ownCardUnknown).toEqual([]);
  });

  test('is all that there is of somebody whom nobody approved: APP_KEY_UNKNOWN', async () => {
    const evil = await forged('dave', { approvedBy: null });
    await plant(server.truth, evil.card);
    const room = new Room('alice', 'dave');
    expect(await codeOf(room.send(alice.device, 'secret'))).toBe('APP_KEY_UNKNOWN');
    expect(room.posts).toEqual([]);
  });

  test('writes to Alice: it is shown as changed, and she is told', async () => {
    await meet();
    const evil = await forged('bob');
    await server.truth.publish(exportCard(evil.card));
    const head = await server.truth.log.head(Date.now());
    const alices = { ...evil, card: alice.device.card() };
    const text = await seal(evil, [alices], 'it is me', { channelSid: chat.sid, head });
    expect(await chat.read(alice.device, chat.put('bob', text))).toMatch(/^it is me \(changed\)/);
    expect((await told(alice, 'keyChanged')).cardIds).toEqual([evil.card.id]);
  });
});

/** A revocation of somebody's card, by the application's key or another. */
async function revoke(
  { id: cardId, identity }: Card,
  signer: CardId | 'app',
  key: SigningKey,
): Promise<void> {
  const revocation = { cardId, reason: 'compromised', revokedAt: Date.now(), signer } as const;
  const content = await createRevocation(revocation, key);
  await server.truth.log.append({
    ...{ operation: 'revoke', time: Date.now(), identity, cardId, content },
  });
}

test('a card in Bob’s name does not get the mark that his has, and his keeps it', async () => {
  await meet();
  const { digits } = await alice.device.safetyNumbers.safetyNumber('bob');
  expect(await alice.device.safetyNumbers.markVerified('bob', digits)).toEqual([
    bob.device.card().id,
  ]);
  const evil = await forged('bob');
  await plant(server.truth, evil.card);
  expect(await codeOf(alice.device.safetyNumbers.markVerified('bob', digits))).toBe(
    'SAFETY_NUMBER_CHANGED',
  );
  expect(await trustOf(alice, 'bob')).toEqual([
    [bob.device.card().id, 'verified'],
    [evil.card.id, 'changed'],
  ]);
  await chat.send(alice.device, 'for Bob');
  expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
});

describe('a server that has the application’s key', () => {
  test('can end Bob’s card, and put none in its place: Bob is told, and Alice sends nothing', async () => {
    await meet();
    const evil = await forged('bob');
    await plant(server.truth, evil.card);
    await revoke(bob.device.card(), 'app', APP_KEY);
    later();
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe('KEY_CHANGED');
    expect(await told(alice, 'keyChanged')).toEqual({ identity: 'bob', cardIds: [evil.card.id] });
    expect(await codeOf(chat.send(bob.device, 'secret'))).toBe('DEVICE_REVOKED');
    expect(await told(bob, 'deviceRevoked')).toEqual({ identity: 'bob', status: 'revoked' });
    expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
  });

  test('cannot end a card without it: not by a card of its own, nor by one of somebody else', async () => {
    await meet();
    const mallory = await forged('mallory');
    const unknown = await forged('bob', { approvedBy: null });
    for (const { card } of [mallory, unknown]) await plant(server.truth, card);
    const id = bob.device.card().id;
    for (const { card, signingKey } of [mallory, unknown]) {
      await revoke(bob.device.card(), card.id, signingKey);
      await revoke(bob.device.card(), id, signingKey);
      await revoke(bob.device.card(), 'app', signingKey);
    }
    later();
    expect(await chat.tell(alice.device, bob.device, 'still here')).toBe('still here (pinned)');
    expect(await chat.tell(bob.device, alice.device, 'me too')).toBe('me too (pinned)');
  });
});

describe('a device in Alice’s name that she does not have', () => {
  test('is reported to her, and gets nothing of what she sends', async () => {
    await meet();
    const evil = await forged('alice');
    await plant(server.truth, evil.card);
    later();
    await chat.send(alice.device, 'mine');
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
    expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
    expect(await alice.device.devices.list()).toMatchObject([
      { isThis: true, trust: 'pinned' },
      { cardId: evil.card.id, trust: 'changed', isReadable: false },
    ]);
  });

  test('is reported with a message of somebody who was shown it, and at the next opening', async () => {
    await meet();
    const evil = await forged('alice');
    await plant(server.truth, evil.card);
    later();
    const message = await chat.tell(bob.device, alice.device, 'hello');
    expect(message).toBe('hello (pinned)');
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
    alice = await server.restart(alice);
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
    expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
  });
});
