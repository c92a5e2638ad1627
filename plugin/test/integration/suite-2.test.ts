/** Chats of people with `postQuantum`, and with people who do not have it. */
import type { Channel, Member, Message } from 'twilio-chat';
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { parseEnvelope } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failureOf } from '../outcomes.ts';
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

// A body of 32 KiB has room for 20 slots of suite 2.
const CROWD = Array.from({ length: 22 }, (_, index) => `member ${index}`);
const WAIT = { timeout: 10_000 };
const WITHOUT = { code: 'MEMBER_WITHOUT_POST_QUANTUM_KEY' };
let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = (await Promise.all(
    ['alice', 'bob'].map((identity) => world.person(identity, { postQuantum: true })),
  )) as [Person, Person];
  await world.crowd(CROWD, true);
  await world.crowd(['ghost']);
});

afterAll(() => world.close());

async function join(channel: Channel, identities: readonly string[]): Promise<void> {
  const last = next<Member>(
    channel,
    'memberJoined',
    (member) => member.identity === identities.at(-1),
  );
  for (const identity of identities) world.emulator.tamper.addMember(channel.sid, identity);
  await last;
}

const stored = (channel: Channel) => world.emulator.inspect.messages(channel.sid);

/** Type and suite of what is stored; null for a file. */
function kinds(channel: Channel): ([string, number] | null)[] {
  return stored(channel).map(({ body, media }) => {
    if (media.length > 0) return null;
    const { type, suite } = parseEnvelope(body);
    return [type, suite];
  });
}

const VERIFIED = { status: 'verified', anomalies: [] };

describe('people with postQuantum', () => {
  test('chat and edit in suite 2', async () => {
    const [own, bobs] = await pair(alice, bob);
    const message = await deliver(own, bobs, 'Hey Bob', { mood: 'good' });
    expect(message).toMatchObject({ body: 'Hey Bob', attributes: { mood: 'good' } });
    expect(message.encryption).toMatchObject(VERIFIED);
    expect((await deliver(bobs, own, 'Hey Alice')).encryption).toMatchObject(VERIFIED);
    const updated = next(bobs, 'messageUpdated');
    await (await history(own))[0]?.updateBody('Hello Bob');
    await updated;
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['Hello Bob', 'Hey Alice']);
    expect(kinds(own)).toEqual([
      ['carrier', 2],
      ['carrier', 2],
    ]);
  });

  test('send nothing when somebody is added who has no such key, and name them', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'before');
    await join(own, ['ghost']);
    const failure = await failureOf(own.sendMessage('plugh'));
    expect(failure).toMatchObject(WITHOUT);
    expect(failure.identities).toEqual(['ghost']);
    const [message] = await history(own);
    await expect(message?.updateBody('plugh')).rejects.toMatchObject(WITHOUT);
    expect(kinds(own)).toEqual([['carrier', 2]]);
    await own.removeMember('ghost');
    await deliver(own, bobs, 'after');
    expect(kinds(own)).toHaveLength(2);
  });

  test('go on in suite 2 when the option is gone', async () => {
    const [own, bobs] = await pair(alice, bob);
    const again = await world.again(alice);
    const channel = await again.client.getChannelBySid(own.sid);
    await channel.getMembers();
    expect((await deliver(channel, bobs, 'still')).encryption).toMatchObject(VERIFIED);
    expect(kinds(own)).toEqual([['carrier', 2]]);
  });

  test('do not write for a device of theirs that was made without', async () => {
    const [own, bobs] = await pair(alice, bob);
    const tablet = await world.again(bob, { keyStore: new MemoryKeyStore() });
    await deliver(own, bobs, 'for the phone');
    const onTablet = await history(await tablet.client.getChannelBySid(own.sid));
    expect(onTablet[0]?.encryption).toEqual({ status: 'unavailable', code: 'NOT_ADDRESSED' });
  });

  test('read those who do not have it, who read nothing of theirs', async () => {
    const dave = await world.person('dave');
    const [own, daves] = await pair(alice, dave);
    expect((await deliver(daves, own, 'Hey Alice')).encryption).toMatchObject(VERIFIED);
    expect(kinds(own)).toEqual([['carrier', 1]]);
    await expect(own.sendMessage('plugh')).rejects.toMatchObject({
      ...WITHOUT,
      identities: ['dave'],
    });
    expect(kinds(own)).toHaveLength(1);
    // The first message of suite 2 that dave sees is not for him.
    await own.removeMember('dave');
    await own.sendMessage('without dave');
    await bring(own, dave);
    const shown = (await history(daves)).map(({ encryption }) => encryption.status);
    expect(shown).toEqual(['verified', 'unavailable']);
  });
});

describe('a large channel of suite 2', () => {
  test('has its key message in a file, and short followers', async () => {
    const [own, bobs] = await pair(alice, bob);
    await join(own, CROWD);
    for (const body of ['one', 'two']) {
      const message = await deliver(own, bobs, body);
      expect(message.body).toBe(body);
      expect(message.encryption).toMatchObject(VERIFIED);
    }
    expect(kinds(own)).toEqual([null, ['follower', 2], ['follower', 2]]);
    for (const { body } of stored(own).slice(1)) expect(body.length).toBeLessThan(900);
    const [file] = stored(own)[0]?.media ?? [];
    expect(file?.size).toBeGreaterThan(24 * 1156);
    const again = await world.again(alice);
    const channel = await again.client.getChannelBySid(own.sid);
    await channel.getMembers();
    expect((await deliver(channel, bobs, 'three')).encryption).toMatchObject(VERIFIED);
    expect(kinds(own).at(-1)).toEqual(['follower', 2]);
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['one', 'two', 'three']);
  });

  test('lets nobody wait for a file that comes slowly, and has it fetched once', async () => {
    const [carol, dora] = await Promise.all([
      world.person('carol', { postQuantum: true }),
      world.person('dora', { postQuantum: true }),
    ]);
    const [own, doras] = await pair(alice, dora);
    const carols = await bring(own, carol);
    await join(own, CROWD);
    await deliver(own, doras, 'this brings the session of Alice');
    const { promise: slow, resolve: arrive } = Promise.withResolvers<undefined>();
    const asked: string[] = [];
    const stop = world.emulator.tamper.onRequest(({ identity, path }) => {
      if (identity !== 'dora' || !path.includes('/Media')) return undefined;
      asked.push(path);
      return slow;
    });
    const bodies = ['one', 'two', 'three'];
    const waiting: Message[] = [];
    const decided = new Set<Message>();
    doras.on('messageAdded', (message) => message.author === 'carol' && waiting.push(message));
    doras.on('messageUpdated', ({ message }) => decided.add(message));
    for (const body of bodies) await carols.sendMessage(body);
    const other = next<Message>(doras, 'messageAdded', ({ author }) => author === 'alice');
    await own.sendMessage('not to wait');
    expect((await other).encryption).toMatchObject(VERIFIED);
    const shown = waiting.map(({ encryption }) => encryption.status);
    expect(new Set(shown)).toEqual(new Set(['pending']));
    // They are tried again meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    arrive(undefined);
    await expect.poll(() => waiting.filter((one) => decided.has(one)).length, WAIT).toBe(3);
    stop();
    expect((await history(doras)).map(({ body }) => body)).toEqual([
      'this brings the session of Alice',
      ...bodies,
      'not to wait',
    ]);
    // The SDK asks for the file's address, and does so twice the first time.
    expect(asked).toHaveLength(2);
  });

  test('of 17 cards has its key message in a body', async () => {
    const [own, bobs] = await pair(alice, bob);
    await join(own, CROWD.slice(0, 15));
    expect((await deliver(own, bobs, 'one')).encryption).toMatchObject(VERIFIED);
    expect(kinds(own)).toEqual([
      ['key', 2],
      ['follower', 2],
    ]);
  });

  test('of 16 cards has messages that bring their key', async () => {
    const [own, bobs] = await pair(alice, bob);
    await join(own, CROWD.slice(0, 14));
    expect((await deliver(own, bobs, 'x'.repeat(4000))).encryption).toMatchObject(VERIFIED);
    expect(kinds(own)).toEqual([['carrier', 2]]);
  });

  test('of 16 cards has a session for what has no room beside so many keys', async () => {
    const [own, bobs] = await pair(alice, bob);
    await join(own, CROWD.slice(0, 14));
    const bodies = ['x'.repeat(20_000), 'short', 'y'.repeat(20_000)];
    for (const body of bodies) {
      const message = await deliver(own, bobs, body);
      expect(message.body).toBe(body);
      expect(message.encryption).toMatchObject(VERIFIED);
    }
    const [first] = await history(own);
    const updated = next(bobs, 'messageUpdated');
    await first?.updateBody('z'.repeat(20_000));
    await updated;
    // The edit stands where the message did.
    expect(kinds(own)).toEqual([
      ['key', 2],
      ['follower', 2],
      ['carrier', 2],
      ['follower', 2],
    ]);
    const shown = await history(bobs);
    expect(shown.map(({ body }) => body)).toEqual(['z'.repeat(20_000), ...bodies.slice(1)]);
    for (const { encryption } of shown) expect(encryption).toMatchObject(VERIFIED);
    const tooLong = own.sendMessage('x'.repeat(25_000));
    await expect(tooLong).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(kinds(own)).toHaveLength(4);
  });
});
