/** A server that says it did something, and did it otherwise or not at all. */
import { EncryptionError, MemoryKeyStore } from 'twilio-chat-encryption';
import { curves, exportCard, importCard } from 'twilio-chat-encryption/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LoggedDirectory } from '../client/logged-directory.ts';
import { codeOf } from '../outcomes.ts';
import { person, random, seal } from '../protocol/people.ts';
import { forged, plant } from './forged.ts';
import { told } from './heard.ts';
import type { Lie } from './lies.ts';
import { Room } from './room.ts';
import { later, MaliciousServer, type Person } from './server.ts';

let server: MaliciousServer;
let alice: Person;
let bob: Person;
let chat: Room;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
  server = new MaliciousServer();
  [alice, bob] = [await server.open('alice'), await server.open('bob')];
  chat = new Room('alice', 'bob');
  expect(await chat.tell(alice.device, bob.device, 'hello')).toBe('hello (new)');
});

afterEach(() => {
  vi.useRealTimers();
});

const published =
  (answer: (card: string) => string | Promise<string>): Lie =>
  () => ({
    publish: async (card) => answer(card),
  });

/** The approval of a server that logs nothing. */
async function unlogged(card: string): Promise<string> {
  return new LoggedDirectory().publish(card);
}

describe('a card that is published', () => {
  const lies: Readonly<Record<string, readonly [Lie, string]>> = {
    'answered without an approval': [published((card) => card), 'OWN_CARD_INVALID'],
    'approved by a key that nobody pinned': [
      published(async (card) => {
        const other = await (await curves()).importSigningKey(random(32));
        return new LoggedDirectory(other).publish(card);
      }),
      'OWN_CARD_INVALID',
    ],
    'answered with another card of this person': [
      published(async () => exportCard((await forged('carol')).card)),
      'OWN_CARD_INVALID',
    ],
    'answered with somebody else’s card': [
      published(() => exportCard(alice.device.card())),
      'OWN_CARD_INVALID',
    ],
    'answered with what is no card': [published(() => '<html>'), 'OWN_CARD_INVALID'],
    'answered with nothing': [published(() => ''), 'OWN_CARD_INVALID'],
    refused: [
      () => ({ publish: () => Promise.reject(new EncryptionError('DIRECTORY_REFUSED', 'No.')) }),
      'DIRECTORY_REFUSED',
    ],
    'never heard of again': [
      () => ({ publish: () => Promise.reject(new Error('gone')) }),
      'DIRECTORY_UNREACHABLE',
    ],
  };

  test.each(Object.entries(lies))(
    'and %s: there is no device, until the server is honest',
    async (_, [lie, code]) => {
      const keyStore = new MemoryKeyStore();
      server.tell(lie, 'carol');
      expect(await codeOf(server.open('carol', { keyStore }))).toBe(code);
      const room = new Room('alice', 'carol');
      expect(await codeOf(room.send(alice.device, 'too early'))).toBe('MEMBER_WITHOUT_CARD');
      server.repent();
      const carol = await server.open('carol', { keyStore });
      expect(await room.tell(alice.device, carol.device, 'welcome')).toBe('welcome (new)');
      expect(carol.heard.ownCardUnknown).toEqual([]);
    },
  );

  test('and logged, but refused: the keys that are made instead do not hide the first ones', async () => {
    const keyStore = new MemoryKeyStore();
    server.tell(
      (honest) => ({
        publish: async (card) => {
          await honest.publish(card);
          throw new EncryptionError('DIRECTORY_REFUSED', 'No.');
        },
      }),
      'carol',
    );
    expect(await codeOf(server.open('carol', { keyStore }))).toBe('DIRECTORY_REFUSED');
    server.repent();
    const carol = await server.open('carol', { keyStore });
    const logged = (await carol.device.devices.list()).map(({ cardId }) => cardId);
    const own = carol.device.card().id;
    expect(logged).toContain(own);
    const others = logged.filter((id) => id !== own);
    // Its keys are gone, and others may encrypt for it.
    expect(others).toHaveLength(1);
    expect((await told(carol, 'ownCardUnknown')).cardIds).toEqual(others);
  });

  test('and not logged: nobody sees it, and the device sends nothing under it', async () => {
    server.tell(published(unlogged), 'carol');
    const carol = await server.open('carol');
    const room = new Room('alice', 'carol');
    expect(await codeOf(room.send(carol.device, 'secret'))).toBe('LOG_INVALID');
    expect(await codeOf(room.send(alice.device, 'secret'))).toBe('MEMBER_WITHOUT_CARD');
    expect(room.posts).toEqual([]);
    server.repent();
    const again = await server.restart(carol);
    expect(await room.tell(again.device, alice.device, 'here')).toBe('here (new)');
  });

  test('of a key of the application’s own is answered with another card: CARD_INVALID', async () => {
    const key = await alice.device.keys.generate();
    const card = await alice.device.cards.create('alice', key);
    server.tell(
      published(() => exportCard(bob.device.card())),
      'alice',
    );
    expect(await codeOf(alice.device.cards.publish(card))).toBe('CARD_INVALID');
  });
});

describe('new keys', () => {
  test('whose card the server does not log: nothing is sent under it, nor anything lost', async () => {
    const before = alice.device.card().id;
    server.tell(published(unlogged), 'alice');
    await alice.device.changes.rotate('password');
    expect(alice.device.card().id).not.toBe(before);
    later();
    const count = chat.posts.length;
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe('LOG_INVALID');
    expect(chat.posts).toHaveLength(count);
    expect(await chat.tell(bob.device, alice.device, 'for the old key')).toBe(
      'for the old key (pinned)',
    );
    server.repent();
    alice = await server.restart(alice);
    later();
    expect(await chat.tell(alice.device, bob.device, 'back')).toBe('back (pinned)');
    expect(await chat.tell(bob.device, alice.device, 'hello')).toBe('hello (pinned)');
    for (const { heard } of [alice, bob]) {
      expect([...heard.keyChanged, ...heard.ownCardUnknown]).toEqual([]);
    }
  });

  test('whose card the server answers with another: OWN_CARD_INVALID, and the old one goes on', async () => {
    server.tell(
      published(() => exportCard(bob.device.card())),
      'alice',
    );
    expect(await codeOf(alice.device.changes.rotate('password'))).toBe('OWN_CARD_INVALID');
    server.repent();
    later();
    expect(await chat.tell(alice.device, bob.device, 'as before')).toBe('as before (pinned)');
  });
});

describe('a device that is revoked', () => {
  async function phone() {
    const made = await person('alice');
    await server.truth.publish(exportCard(made.card));
    await alice.device.devices.list();
    await alice.device.acknowledge('alice', [made.card.id]);
    return made;
  }

  test.each<[string, Lie, { compromisedSince?: Date }]>([
    ['not at all', () => ({ revoke: () => Promise.resolve() }), {}],
    [
      'not at all, when it was stolen',
      () => ({ revoke: () => Promise.resolve() }),
      { compromisedSince: new Date(0) },
    ],
    ['by something else', (honest) => ({ revoke: (id) => honest.revoke(id, 'nothing') }), {}],
  ])('%s, says the log: it is no success', async (_, lie, options) => {
    const { card, encryptionSecret } = await phone();
    server.tell(lie, 'alice');
    expect(await codeOf(alice.device.devices.revoke(card.id, options))).toBe('DIRECTORY_REFUSED');
    expect(await alice.device.devices.list()).toMatchObject([{}, { status: 'live' }]);
    server.repent();
    await alice.device.devices.revoke(card.id, options);
    later();
    const sent = await chat.send(bob.device, 'for one device');
    expect(chat.readableWith(encryptionSecret)).not.toContain(sent);
  });
});

describe('an acknowledgement', () => {
  test('whose endorsement is not logged: the device is trusted here, and by nobody else', async () => {
    const phone = await person('alice');
    await server.truth.publish(exportCard(phone.card));
    await alice.device.devices.list();
    server.tell(published(unlogged), 'alice');
    await alice.device.acknowledge('alice', [phone.card.id]);
    later();
    const sent = await chat.send(bob.device, 'for one device');
    expect(chat.readableWith(phone.encryptionSecret)).toEqual([]);
    expect((await told(bob, 'keyChanged')).cardIds).toEqual([phone.card.id]);
    expect(await chat.read(alice.device, sent)).toBe('for one device (pinned)');
    // Said again to an honest server, it is said to all.
    server.repent();
    await alice.device.acknowledge('alice', [phone.card.id]);
    later();
    const next = await chat.send(bob.device, 'for both');
    expect(chat.readableWith(phone.encryptionSecret)).toEqual([next]);
  });

  test('is answered with another card: CARD_INVALID', async () => {
    const phone = await person('alice');
    await server.truth.publish(exportCard(phone.card));
    await alice.device.devices.list();
    server.tell(
      published(() => exportCard(bob.device.card())),
      'alice',
    );
    expect(await codeOf(alice.device.acknowledge('alice', [phone.card.id]))).toBe('CARD_INVALID');
  });
});

describe('the card of a message', () => {
  test('that is approved and not in the log: CARD_INVALID, and nothing of it is shown', async () => {
    const evil = await forged('bob');
    server.tell(() => ({ get: () => Promise.resolve(exportCard(evil.card)) }), 'alice');
    const head = await server.truth.log.head(Date.now());
    const text = await seal(evil, [{ ...evil, card: alice.device.card() }], 'trust me', {
      ...{ channelSid: chat.sid, head },
    });
    expect(await chat.read(alice.device, chat.put('bob', text))).toBe('CARD_INVALID');
    expect(await alice.device.safetyNumbers.trustOf('bob')).toHaveLength(1);
  });

  test.each<[string, Lie, string]>([
    [
      'another card',
      () => ({ get: () => Promise.resolve(exportCard(alice.device.card())) }),
      'CARD_INVALID',
    ],
    ['no card', () => ({ get: () => Promise.resolve(null) }), 'CARD_INVALID'],
    ['HTML', () => ({ get: () => Promise.resolve('<!doctype html>') }), 'CARD_INVALID'],
    ['a failure', () => ({ get: () => Promise.reject(new Error('gone')) }), 'CARD_PENDING'],
  ])('for which %s is answered is read when the server is honest', async (_, lie, code) => {
    const carol = await server.open('carol');
    const room = new Room('carol', 'alice');
    const sent = await room.send(carol.device, 'hello');
    server.tell(lie, 'alice');
    expect(await room.read(alice.device, sent)).toBe(code);
    server.repent();
    expect(await room.read(alice.device, sent)).toBe('hello (new)');
  });

  test('that the log has, and no pinned key approved: CARD_INVALID', async () => {
    const evil = await forged('bob', { approvedBy: null });
    await plant(server.truth, evil.card);
    server.tell(() => ({ get: () => Promise.resolve(exportCard(evil.card)) }), 'alice');
    const head = await server.truth.log.head(Date.now());
    const text = await seal(evil, [{ ...evil, card: alice.device.card() }], 'trust me', {
      ...{ channelSid: chat.sid, head },
    });
    expect(await chat.read(alice.device, chat.put('bob', text))).toBe('CARD_INVALID');
    expect((await importCard(exportCard(evil.card))).id).toBe(evil.card.id);
  });
});
