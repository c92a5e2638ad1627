/** Histories that are hidden, cut, or rewritten under a log that follows from each of its states. */
import {
  base64url,
  createRevocation,
  encodeHead,
  exportCard,
  lookupToJson,
  type Card,
} from 'twilio-chat-encryption/protocol';
import { EncryptionError } from 'twilio-chat-encryption';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LoggedDirectory } from '../client/logged-directory.ts';
import type { NewEntry } from '../protocol/log/kept-log.ts';
import { codeOf } from '../outcomes.ts';
import { APP_KEY, LOG_KEY, person, seal, type Person as Holder } from '../protocol/people.ts';
import { ForgetfulLog } from './forgetful-log.ts';
import { forged, plant } from './forged.ts';
import { Fork, showing } from './fork.ts';
import { told } from './heard.ts';
import { answering, type Lie } from './lies.ts';
import { Room } from './room.ts';
import { later, MaliciousServer, type Person } from './server.ts';

let log: ForgetfulLog;
let server: MaliciousServer;
let alice: Person;
let bob: Person;
let chat: Room;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
  log = new ForgetfulLog(LOG_KEY);
  server = new MaliciousServer(new LoggedDirectory(APP_KEY, LOG_KEY, log));
  [alice, bob] = [await server.open('alice'), await server.open('bob')];
  chat = new Room('alice', 'bob');
});

afterEach(() => {
  vi.useRealTimers();
});

const meet = async (): Promise<void> => {
  expect(await chat.tell(alice.device, bob.device, 'hello')).toBe('hello (new)');
};

async function publish(identity: string): Promise<Holder> {
  const holder = await person(identity);
  await server.truth.publish(exportCard(holder.card));
  return holder;
}

/** A second device of Bob's, which he knows, and whose key a thief has. */
async function stolenPhone(): Promise<Holder> {
  const phone = await publish('bob');
  await bob.device.devices.list();
  expect(await bob.device.acknowledge('bob', [phone.card.id])).toEqual([phone.card.id]);
  return phone;
}

const revokePhone = ({ card }: Holder): Promise<void> =>
  bob.device.devices.revoke(card.id, { compromisedSince: new Date(0) });

/** An entry about somebody whom nobody asks for. */
async function other(): Promise<NewEntry> {
  const { card } = await person('nobody');
  return approvalOf(card);
}

function approvalOf(card: Card): NewEntry {
  const { identity, id: cardId } = card;
  return { operation: 'approve', time: Date.now(), identity, cardId, content: exportCard(card) };
}

/** All as it was when the log had `size` entries; under the head of now, or of then. */
function asOf(size: number, headSize: number): Lie {
  return answering(async (_, identities, honest) => ({
    ...(await honest.lookup(identities, 0)),
    head: await headText(headSize),
    lookup: lookupToJson(await log.lookup(identities, size)),
  }));
}

async function headText(size: number): Promise<string> {
  return base64url.encode(encodeHead(await log.head(Date.now(), size)));
}

describe('a card that was replaced', () => {
  test.each<[string, (before: number) => Lie, string]>([
    ['the head of now', (before) => asOf(before, log.size), 'LOG_INVALID'],
    ['an older head', (before) => asOf(before, before), 'LOG_STALE'],
  ])('cannot be shown as live again under %s', async (_, lie, code) => {
    await meet();
    const before = log.size;
    await bob.device.changes.rotate('password');
    later();
    expect(await chat.tell(alice.device, bob.device, 'for the new key')).toBe(
      'for the new key (pinned)',
    );
    server.tell(lie(before), 'alice');
    later();
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe(code);
    server.repent();
    expect(await chat.tell(alice.device, bob.device, 'again')).toBe('again (pinned)');
    expect(alice.heard.keyChanged).toEqual([]);
  });
});

describe('a revocation that Alice saw', () => {
  test.each<[string, (before: number) => Lie, string]>([
    ['the head of now', (before) => asOf(before, log.size), 'LOG_INVALID'],
    ['an older head', (before) => asOf(before, before), 'LOG_STALE'],
  ])('cannot be taken back under %s', async (_, lie, code) => {
    await meet();
    const phone = await stolenPhone();
    const before = log.size;
    await revokePhone(phone);
    later();
    await alice.device.cards.find('bob');
    server.tell(lie(before), 'alice');
    later();
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe(code);
    alice = await server.restart(alice);
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe(code);
    server.repent();
    expect(await chat.tell(alice.device, bob.device, 'for one device')).toBe(
      'for one device (pinned)',
    );
    expect(chat.readableWith(phone.encryptionSecret)).toEqual([]);
  });

  test('cannot be left out of a map that is signed anew: LOG_INVALID, also after a restart', async () => {
    await meet();
    const phone = await stolenPhone();
    const before = log.size;
    await revokePhone(phone);
    later();
    await chat.tell(alice.device, bob.device, 'for one device');
    await log.appendTo(before, await other());
    later();
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe('LOG_INVALID');
    expect(await codeOf(alice.device.safetyNumbers.trustOf('bob'))).toBe('LOG_INVALID');
    alice = await server.restart(alice);
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe('LOG_INVALID');
    // The thief writes: it is not shown.
    const text = await seal(phone, [{ ...phone, card: alice.device.card() }], 'it is me', {
      channelSid: chat.sid,
      head: await log.head(Date.now()),
    });
    expect(await chat.read(alice.device, chat.put('bob', text))).toMatch(/^C[A-Z_]+$/);
    expect(chat.readableWith(phone.encryptionSecret)).toEqual([]);
    expect(alice.heard.keyChanged).toEqual([]);
  });
});

describe('a revocation that is kept from Alice', () => {
  /** All is answered as if the log had stopped growing, under heads that are signed anew. */
  async function freeze(size: number, viewer: string): Promise<void> {
    server.tell(showing(await Fork.of(server.truth, size)), viewer);
  }

  test('by a log that stopped growing, is found out with the first message of Bob', async () => {
    await meet();
    const phone = await stolenPhone();
    await freeze(log.size, 'alice');
    await revokePhone(phone);
    later();
    await chat.tell(alice.device, bob.device, 'for both devices');
    const before = chat.readableWith(phone.encryptionSecret);
    expect(before).toEqual([1]);
    expect(await chat.tell(bob.device, alice.device, 'my phone is gone')).toMatch(/^my phone/);
    await told(alice, 'splitView');
    server.repent();
    later();
    await chat.send(alice.device, 'for one device');
    expect(chat.readableWith(phone.encryptionSecret)).toEqual(before);
  });

  test('by a log that stopped growing, and then proves Bob’s head: it cannot go back', async () => {
    await meet();
    const phone = await stolenPhone();
    const { size } = log;
    await freeze(size, 'alice');
    await revokePhone(phone);
    later();
    server.tell(
      (honest) => ({
        lookup: async (identities, from) =>
          (await Fork.of(server.truth, size)).lookup(identities, from),
        lookupAt: (...asked) => honest.lookupAt(...asked),
      }),
      'alice',
    );
    const read = await chat.tell(bob.device, alice.device, 'my phone is gone');
    expect(read).toBe('my phone is gone (pinned)');
    await expect.poll(() => server.askedBy('alice')).toContain('alice lookupAt');
    later();
    expect(await codeOf(chat.send(alice.device, 'secret'))).toBe('LOG_STALE');
    expect(chat.readableWith(phone.encryptionSecret)).toEqual([]);
  });

  test('by a map that leaves it out for her: Bob is told with her message', async () => {
    await meet();
    const phone = await stolenPhone();
    const before = log.size;
    await revokePhone(phone);
    await bob.device.devices.list();
    // It is in the tree, and not in the map that Alice is shown.
    await log.appendTo(before, await other());
    later();
    const first = await chat.send(alice.device, 'for both devices');
    expect(chat.readableWith(phone.encryptionSecret)).toEqual([first]);
    await chat.read(bob.device, first);
    expect((await told(bob, 'auditFailed')).code).toBe('LOG_INVALID');
  });
});

/** A card in this name that is in the log for one state, and forgotten in the next. */
async function flash(identity: string, shown: () => Promise<unknown>): Promise<Holder> {
  const before = log.size;
  const evil = await forged(identity);
  await plant(server.truth, evil.card);
  await shown();
  await log.appendTo(before, await other());
  return evil;
}

describe('a card that is in one state of the map only', () => {
  test('is reported to whom it is about, by the head of the message that was written then', async () => {
    const carol = await server.open('carol');
    const room = new Room('alice', 'carol');
    const evil = await flash('alice', () => room.send(carol.device, 'hello'));
    expect(room.readableWith(evil.encryptionSecret)).toEqual([0]);
    await room.read(alice.device, 0);
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
    // Who saw it cannot be told that it never was.
    later();
    expect(await codeOf(room.send(carol.device, 'again'))).toBe('LOG_INVALID');
    expect(await codeOf((await server.restart(carol)).device.safetyNumbers.trustOf('alice'))).toBe(
      'LOG_INVALID',
    );
  });

  test('is reported also if whom it is about knows that very head already, for others', async () => {
    const carol = await server.open('carol');
    const room = new Room('alice', 'carol');
    const evil = await flash('alice', async () => {
      await room.send(carol.device, 'hello');
      await alice.device.cards.find('bob');
    });
    await room.read(alice.device, 0);
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
  });

  test('gets nothing of who knows the person, and is told of to both', async () => {
    await meet();
    const evil = await flash('alice', async () => {
      later();
      await chat.send(bob.device, 'for Alice');
    });
    expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
    expect((await told(bob, 'keyChanged')).cardIds).toEqual([evil.card.id]);
    await chat.read(alice.device, 1);
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
    later();
    expect(await codeOf(chat.send(bob.device, 'again'))).toBe('LOG_INVALID');
    expect(chat.readableWith(evil.encryptionSecret)).toEqual([]);
  });

  // A message has one head, the newest that its sender saw; the cards that it is for may be of an older one.
  test('is reported also if who wrote the message saw a later state since, of somebody else', async () => {
    const carol = await server.open('carol');
    const room = new Room('alice', 'carol');
    const evil = await flash('alice', async () => {
      await carol.device.cards.find('alice', 'carol');
      await carol.device.safetyNumbers.trustOf('alice');
    });
    // What is known of Alice is young enough.
    await carol.device.cards.find('bob');
    await room.send(carol.device, 'hello');
    expect(room.readableWith(evil.encryptionSecret)).toEqual([0]);
    await room.read(alice.device, 0);
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
  });

  test('gets nothing if its supposed owner became a member after others were told of that state', async () => {
    const carol = await server.open('carol');
    const room = new Room('bob', 'carol');
    const evil = await flash('alice', async () => {
      await room.send(carol.device, 'hello');
      await carol.device.safetyNumbers.trustOf('alice');
    });
    // Of the others Carol sees a later state, and what is known of Alice is young enough.
    await carol.device.cards.find('bob', 'carol');
    room.join('alice');
    expect(await codeOf(room.send(carol.device, 'welcome'))).toBe('LOG_INVALID');
    expect(room.readableWith(evil.encryptionSecret)).toEqual([]);
  });

  test('gets nothing if the recipients were not looked up together: they are, before anything is said', async () => {
    const carol = await server.open('carol');
    const room = new Room('alice', 'carol');
    const evil = await flash('alice', () => carol.device.safetyNumbers.trustOf('alice'));
    expect(await codeOf(room.send(carol.device, 'hello'))).toBe('LOG_INVALID');
    expect(room.readableWith(evil.encryptionSecret)).toEqual([]);
  });
});

describe('a card that is shown for a moment, and revoked by the server', () => {
  async function moment(): Promise<{ evil: Holder; room: Room }> {
    const carol = await server.open('carol');
    const room = new Room('alice', 'carol');
    const evil = await forged('alice');
    await plant(server.truth, evil.card);
    await room.send(carol.device, 'hello');
    expect(room.readableWith(evil.encryptionSecret)).toEqual([0]);
    const { id: cardId, identity } = evil.card;
    const revocation = { cardId, reason: 'retired', revokedAt: Date.now(), signer: 'app' } as const;
    const content = await createRevocation(revocation, APP_KEY);
    await log.append({ operation: 'revoke', time: Date.now(), identity, cardId, content });
    return { evil, room };
  }

  test('is reported by the head of the message, if the device did not look for itself before', async () => {
    const { evil, room } = await moment();
    await room.read(alice.device, 0);
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
  });

  test('is among the devices that its supposed owner lists', async () => {
    const { evil } = await moment();
    expect(await alice.device.devices.list()).toMatchObject([
      { isThis: true, trust: 'pinned' },
      { cardId: evil.card.id, status: 'revoked', trust: 'changed' },
    ]);
  });

  // What has ended by now is not reported: it may be what this person ended, which nothing here tells apart.
  test('is reported also if the device looked for itself before it read the message', async () => {
    const { evil, room } = await moment();
    await alice.device.devices.list();
    await room.read(alice.device, 0);
    expect((await told(alice, 'ownCardUnknown')).cardIds).toEqual([evil.card.id]);
  });
});

describe('a card that was in one state of the map, of which the server says nothing', () => {
  const lies: Readonly<Record<string, Lie>> = {
    'it gives no proof': () => ({ lookupAt: () => Promise.resolve({}) }),
    'it refuses': () => ({
      lookupAt: () => Promise.reject(new EncryptionError('DIRECTORY_REFUSED', 'No.')),
    }),
  };

  test.each(Object.entries(lies))('is told of when %s', async (_, lie) => {
    const carol = await server.open('carol');
    const room = new Room('alice', 'carol');
    const evil = await flash('alice', () => room.send(carol.device, 'hello'));
    expect(room.readableWith(evil.encryptionSecret)).toEqual([0]);
    server.tell(lie, 'alice');
    await room.read(alice.device, 0);
    await expect.poll(() => server.askedBy('alice')).toContain('alice lookupAt');
    await told(alice, 'auditFailed');
  });
});

describe('a thief who has a key of Bob’s, and a server that helps', () => {
  /** Bob’s tablet revokes his phone, which was stolen two hours ago; the thief’s device is of one hour ago. */
  async function theft(loggedAt: (theft: number) => number): Promise<string> {
    const phone = await stolenPhone();
    await alice.device.safetyNumbers.trustOf('bob');
    later(120);
    const stolenAt = Date.now();
    later(60);
    const thief = await forged('bob', { endorsed: [phone.card.id, phone.signingKey] });
    await log.append({ ...approvalOf(thief.card), time: loggedAt(stolenAt) });
    later(60);
    await bob.device.devices.revoke(phone.card.id, { compromisedSince: new Date(stolenAt) });
    later();
    const seen = await alice.device.safetyNumbers.trustOf('bob');
    return seen.find(({ cardId }) => cardId === thief.card.id)?.trust ?? 'gone';
  }

  test('adds no device that is trusted, when the log tells the time', async () => {
    expect(await theft((stolenAt) => stolenAt + 1)).toBe('changed');
  });

  test('adds none when the log backdates it', async () => {
    expect(await theft((stolenAt) => stolenAt - 1)).toBe('changed');
  });
});
