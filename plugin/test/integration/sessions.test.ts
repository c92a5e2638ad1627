/** Channels of many cards: a key message opens a session, and messages follow it. */
import type { Channel, Member } from 'twilio-chat';
import type { KeyStore } from 'twilio-chat-encryption';
import { parseEnvelope } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindOf } from './device-records.ts';
import {
  bring,
  deliver,
  history,
  next,
  pair,
  startWorld,
  type Person,
  type World,
} from './world.ts';

const CROWD = Array.from({ length: 15 }, (_, index) => `member ${index}`);
let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
  await world.crowd([...CROWD, 'one more']);
});

afterAll(() => world.close());

/** A channel of 17 people: 16 cards is the most that a message carries itself. */
async function large(): Promise<readonly [Channel, Channel]> {
  const [own, bobs] = await pair(alice, bob);
  for (const identity of CROWD) await join(own, identity);
  return [own, bobs];
}

async function join(channel: Channel, identity: string): Promise<void> {
  const joined = next(channel, 'memberJoined');
  world.emulator.tamper.addMember(channel.sid, identity);
  await joined;
}

function stored(channel: Channel): { types: string[]; bodies: string[] } {
  const bodies = world.emulator.inspect.messages(channel.sid).map(({ body }) => body);
  return { types: bodies.map((body) => parseEnvelope(body).type), bodies };
}

interface IndexedMessage {
  readonly index: number;
}

const isFifth = ({ index }: IndexedMessage): boolean => index === 4;

/** The next message of this type that somebody posts is refused. */
function refuse(type: string): void {
  const end = world.emulator.tamper.onRequest(({ method, path, payload }) => {
    if (method !== 'POST' || !path.endsWith('/Messages')) return undefined;
    const { body } = JSON.parse(payload) as { body: string };
    if (parseEnvelope(body).type !== type) return undefined;
    end();
    return { when: 'before', then: 'fail', status: 403 };
  });
}

describe('a channel of 17 cards', () => {
  test('has one key message, and followers under 900 characters', async () => {
    const [own, bobs] = await large();
    const bodies = ['one', 'two', 'x'.repeat(200)];
    for (const body of bodies) expect((await deliver(own, bobs, body)).body).toBe(body);
    expect(stored(own).types).toEqual(['key', 'follower', 'follower', 'follower']);
    for (const body of stored(own).bodies.slice(1)) expect(body.length).toBeLessThan(900);
  });

  test('shows no key message, neither live nor in the history', async () => {
    const [own, bobs] = await large();
    const seen: number[] = [];
    bobs.on('messageAdded', ({ index }) => seen.push(index));
    await deliver(own, bobs, 'one');
    await deliver(own, bobs, 'two');
    expect(seen).toEqual([1, 2]);
    expect((await history(bobs, 1)).map(({ body }) => body)).toEqual(['one', 'two']);
    const shown = (await history(own)).map(({ body, encryption }) => [body, encryption.status]);
    expect(shown).toEqual([
      ['one', 'verified'],
      ['two', 'verified'],
    ]);
  });

  test('gives a page as long as was asked for, though a key message stands in it', async () => {
    const [own, bobs] = await large();
    await deliver(own, bobs, 'one');
    await join(own, 'one more');
    await deliver(own, bobs, 'two');
    expect(stored(own).types).toEqual(['key', 'follower', 'key', 'follower']);
    const raw = await world.conversations(bob);
    const conversation = await bob.encryption.wrapClient(raw).getConversationBySid(own.sid);
    for (const reader of [bobs, conversation]) {
      const page = await reader.getMessages(2);
      expect(page.items.map(({ body }) => body)).toEqual(['one', 'two']);
      // Before them is the first key message, and nothing that would make a page.
      expect(page.hasPrevPage).toBe(false);
      const forward = await reader.getMessages(2, 1, 'forward');
      expect(forward.items.map(({ body }) => body)).toEqual(['one', 'two']);
      expect(forward.hasNextPage).toBe(false);
    }
  });

  test('counts no key message, and has none as its last message', async () => {
    const [own, bobs] = await large();
    const raw = await world.conversations(bob);
    const client = bob.encryption.wrapClient(raw);
    const conversation = await client.getConversationBySid(own.sid);
    await conversation.getParticipants();
    await deliver(own, bobs, 'one');
    await join(own, 'one more');
    await deliver(own, bobs, 'two');
    await own.removeMember('one more');
    // Until an SDK has heard of a message, it counts among the unread, and is not looked at.
    const heard = [
      next<IndexedMessage>(await bob.raw.getChannelBySid(own.sid), 'messageAdded', isFifth),
      next<IndexedMessage>(await raw.getConversationBySid(own.sid), 'messageAdded', isFifth),
    ];
    refuse('follower');
    await expect(own.sendMessage('three')).rejects.toMatchObject({ status: 403 });
    await Promise.all(heard);
    expect(stored(own).types).toEqual(['key', 'follower', 'key', 'follower', 'key']);
    expect(await bobs.updateLastConsumedMessageIndex(1)).toBe(1);
    expect(await conversation.getUnreadMessagesCount()).toBe(1);
    for (const reader of [bobs, conversation]) {
      await reader.getMessages();
      expect(await reader.getMessagesCount()).toBe(2);
      await expect.poll(() => reader.lastMessage?.index).toBe(3);
    }
  });

  test('reads a follower alone, from the key message that it names', async () => {
    const [own, bobs] = await large();
    await deliver(own, bobs, 'one');
    for (let count = 2; count < 40; count += 1) await own.sendMessage(`number ${count}`);
    const fresh = await world.again(bob);
    const channel = await fresh.client.getChannelBySid(own.sid);
    const { items } = await channel.getMessages(1);
    expect(items.map(({ body }) => body)).toEqual(['number 39']);
    expect(items[0]?.encryption).toMatchObject({ status: 'verified', anomalies: [] });
  });

  test('gets a new key message after any change of its cards', async () => {
    const [own, bobs] = await large();
    await deliver(own, bobs, 'one');
    await join(own, 'one more');
    await deliver(own, bobs, 'two');
    await own.removeMember('one more');
    await deliver(own, bobs, 'three');
    await deliver(own, bobs, 'four');
    expect(stored(own).types).toEqual([
      'key',
      'follower',
      'key',
      'follower',
      'key',
      'follower',
      'follower',
    ]);
  });

  test('goes on with its session after a restart of the sender', async () => {
    const [own, bobs] = await large();
    await deliver(own, bobs, 'one');
    const restarted = await world.again(alice);
    const again = await restarted.client.getChannelBySid(own.sid);
    await again.getMembers();
    expect((await deliver(again, bobs, 'two')).encryption).toMatchObject({
      status: 'verified',
      anomalies: [],
    });
    expect(stored(own).types).toEqual(['key', 'follower', 'follower']);
  });

  test('encrypts an edit to the members of now, not to those of then', async () => {
    const [own, bobs] = await large();
    await deliver(own, bobs, 'one');
    const [message] = await history(own);
    await join(own, 'one more');
    const updated = next(bobs, 'messageUpdated');
    await message?.updateBody('edited');
    await updated;
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['edited']);
    const { types, bodies } = stored(own);
    expect(types).toEqual(['key', 'follower', 'key']);
    const [edit, key] = [parseEnvelope(bodies[1] ?? ''), parseEnvelope(bodies[2] ?? '')];
    expect(edit.type === 'follower' && edit.session.keyMessageIndex).toBe(2);
    expect(key.type === 'key' && key.slots.slots.length / key.slots.slotLength).toBe(18);
  });

  test('loses no other message when one is edited or removed', async () => {
    const [own, bobs] = await large();
    for (const body of ['one', 'two', 'three']) await deliver(own, bobs, body);
    const [first, second] = await history(own);
    const updated = next(bobs, 'messageUpdated');
    await first?.updateBody('one, edited');
    await updated;
    await second?.remove();
    const fresh = await world.again(bob, { keyStore: withoutSessions(bob.keyStore) });
    const shown = await history(await fresh.client.getChannelBySid(own.sid));
    expect(shown.map(({ body }) => body)).toEqual(['one, edited', 'three']);
  });

  test('waits for a key message that comes late', async () => {
    const [own, bobs] = await large();
    await deliver(own, bobs, 'needs its key');
    const [key] = world.emulator.inspect.messages(own.sid);
    if (!key) throw new Error('There is no key message.');
    world.emulator.tamper.remove(own.sid, 0, 'silently');
    const fresh = await world.again(bob, { keyStore: withoutSessions(bob.keyStore) });
    const channel = await fresh.client.getChannelBySid(own.sid);
    const [message] = await history(channel);
    expect(message?.encryption).toEqual({ status: 'pending', code: 'KEY_PENDING' });
    const updated = next(channel, 'messageUpdated');
    world.emulator.tamper.inject(own.sid, key, 0);
    await updated;
    expect(message?.body).toBe('needs its key');
  });

  test('says in the end that a key message is missing', async () => {
    const [own, bobs] = await large();
    await deliver(own, bobs, 'one');
    world.emulator.tamper.remove(own.sid, 0);
    const fresh = await world.again(bob, { keyStore: withoutSessions(bob.keyStore) });
    const channel = await fresh.client.getChannelBySid(own.sid);
    const [message] = await history(channel);
    expect(message?.encryption).toEqual({ status: 'pending', code: 'KEY_PENDING' });
    const updated = next(channel, 'messageUpdated');
    await updated;
    expect(message?.encryption).toEqual({ status: 'unavailable', code: 'KEY_MISSING' });
    // Who read the key message before it was removed still has its session.
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['one']);
  }, 60_000);
});

/** A device that does not remember the sessions it read. */
function withoutSessions(keyStore: KeyStore): KeyStore {
  return {
    get: (name) =>
      kindOf(name).startsWith('session/') ? Promise.resolve(null) : keyStore.get(name),
    update: (name, change) =>
      kindOf(name).startsWith('session/')
        ? Promise.resolve(void change(null))
        : keyStore.update(name, change),
    clear: (scope) => keyStore.clear(scope),
    lock: (name, work) => keyStore.lock(name, work),
  };
}

describe('a member who joins later', () => {
  test('reads what is sent from then on, and of the rest knows why not', async () => {
    const [own, bobs] = await large();
    await deliver(own, bobs, 'before');
    const carol = await world.person(`carol ${own.sid}`);
    const carols = await bring(own, carol);
    expect((await deliver(own, carols, 'after')).body).toBe('after');
    const all = await history(carols);
    expect(all.map(({ encryption }) => encryption.status)).toEqual([
      'unavailable',
      'unavailable',
      'verified',
    ]);
    expect(all.map(({ encryption }) => 'code' in encryption && encryption.code)).toEqual([
      'SENT_BEFORE_JOIN',
      'SENT_BEFORE_JOIN',
      false,
    ]);
  });
});

describe('a channel of 1000 cards', () => {
  const PEOPLE = Array.from({ length: 998 }, (_, index) => `one of many ${index}`);

  test('works: the key message travels as a file, followers are as short as ever', async () => {
    await world.crowd(PEOPLE);
    const [own, bobs] = await pair(alice, bob);
    const all = next<Member>(own, 'memberJoined', ({ identity }) => identity === PEOPLE.at(-1));
    for (const identity of PEOPLE) world.emulator.tamper.addMember(own.sid, identity);
    await all;
    expect((await deliver(own, bobs, 'hello everybody')).body).toBe('hello everybody');
    expect((await deliver(own, bobs, 'and once more')).encryption).toMatchObject({
      status: 'verified',
      anomalies: [],
    });
    const [key, ...followers] = world.emulator.inspect.messages(own.sid);
    expect(key?.media).toHaveLength(1);
    expect(followers.map(({ body }) => parseEnvelope(body).type)).toEqual(['follower', 'follower']);
    for (const { body } of followers) expect(body.length).toBeLessThan(900);
    const fresh = await world.again(bob, { keyStore: withoutSessions(bob.keyStore) });
    const shown = await history(await fresh.client.getChannelBySid(own.sid));
    expect(shown.map(({ body }) => body)).toEqual(['hello everybody', 'and once more']);
  }, 120_000);
});
