import type { Channel, Message } from 'twilio-chat';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  deliver,
  history,
  next,
  pair,
  ready,
  startWorld,
  type Person,
  type World,
} from './world.ts';
import { slotsOf } from './slots-of.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
});

afterAll(() => world.close());

describe('two people with the real twilio-chat SDK, wrapped', () => {
  test('chat: body and attributes arrive, verified, at both', async () => {
    const [own, bobs] = await pair(alice, bob);
    const echo = next<Message>(own, 'messageAdded');
    const message = await deliver(own, bobs, 'Hey Bob', { mood: 'good', n: [1, null] });
    for (const received of [message, await echo]) {
      expect(received.body).toBe('Hey Bob');
      expect(received.attributes).toEqual({ mood: 'good', n: [1, null] });
      expect(received.author).toBe('alice');
      expect(received.encryption).toMatchObject({
        status: 'verified',
        sender: { identity: 'alice', cardId: alice.encryption.cardId },
        anomalies: [],
      });
    }
  });

  test('see new trust first, then pinned', async () => {
    const carol = await world.person('carol');
    const [own, carols] = await pair(alice, carol);
    expect((await deliver(own, carols, 'one')).encryption).toMatchObject({ trust: 'new' });
    expect((await deliver(own, carols, 'two')).encryption).toMatchObject({ trust: 'pinned' });
  });

  test('get the message index from sendMessage, as from the SDK', async () => {
    const [own] = await pair(alice, bob);
    expect(await own.sendMessage('zero')).toBe(0);
    expect(await own.sendMessage(null)).toBe(1);
    expect((await own.getMessages()).items.map(({ body }) => body)).toEqual(['zero', '']);
  });

  test('leave nothing readable with Twilio: no text, attribute or card id', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'xyzzy-the-secret', { plugh: 'attribute-secret' });
    const frames = JSON.stringify(world.emulator.inspect.received());
    for (const seen of [world.emulator.inspect.dump(), frames]) {
      for (const secret of ['xyzzy', 'plugh', 'attribute-secret', alice.encryption.cardId]) {
        expect(seen).not.toContain(secret);
      }
    }
    const [stored] = world.emulator.inspect.messages(own.sid);
    expect(stored?.body).toMatch(/^e2e1\.[\w-]+$/);
    expect(stored?.attributes).toBe('{}');
  });

  test('send many at once and keep their order, with numbers that never repeat', async () => {
    const [own, bobs] = await pair(alice, bob);
    const bodies = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    const seen: string[] = [];
    bobs.on('messageAdded', ({ body }) => seen.push(body));
    const last = next<Message>(bobs, 'messageAdded', ({ body }) => body === 'message 19');
    const indexes = await Promise.all(bodies.map((body) => own.sendMessage(body)));
    await last;
    expect(indexes).toEqual(bodies.map((_, index) => index));
    expect(seen).toEqual(bodies);
  });

  test('page through history in both directions', async () => {
    const [own, bobs] = await pair(alice, bob);
    for (let index = 0; index < 25; index += 1) await own.sendMessage(`m${index}`);
    const all = Array.from({ length: 25 }, (_, index) => `m${index}`);
    expect((await history(bobs, 10)).map(({ body }) => body)).toEqual(all);
    let page = await bobs.getMessages(10, 0, 'forward');
    const forward = [...page.items];
    while (page.hasNextPage) {
      page = await page.nextPage();
      forward.push(...page.items);
    }
    expect(forward.map(({ body }) => body)).toEqual(all);
    expect(forward.every(({ encryption }) => encryption.status === 'verified')).toBe(true);
  });

  test('read their history after a restart, and go on counting where they were', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'before');
    const later = await world.again(alice);
    expect(later.encryption.cardId).toBe(alice.encryption.cardId);
    const again = await later.client.getChannelBySid(own.sid);
    expect((await history(again)).map(({ body }) => body)).toEqual(['before']);
    expect((await deliver(again, bobs, 'after')).encryption).toMatchObject({ status: 'verified' });
  });

  test('may write any text and any JSON', async () => {
    const [own, bobs] = await pair(alice, bob);
    for (const body of ['', '🔑 schlüssel', 'e2e1.AAAA', '\u0000', 'x'.repeat(10_000)]) {
      expect((await deliver(own, bobs, body)).body).toBe(body);
    }
    for (const attributes of [0, 'text', [1, [2]], { 10: 'a', 9: 'b' }]) {
      expect((await deliver(own, bobs, 'a', attributes)).attributes).toEqual(attributes);
    }
  });
});

describe('the wrapper', () => {
  test('may be put around a client that is not connected yet', async () => {
    const raw = world.connect(bob.raw.token);
    const client = bob.encryption.wrapClient(raw);
    expect(await next(client, 'stateChanged')).toBe('initialized');
    expect(client.user.identity).toBe('bob');
  });

  test('refuses the client of somebody else', () => {
    expect(() => bob.encryption.wrapClient(alice.raw)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  test('tells client listeners first, then channel listeners, with the same object', async () => {
    const [own, bobs] = await pair(alice, bob);
    const seen: [string, Message][] = [];
    const onClient = (message: Message): void => void seen.push(['client', message]);
    bob.client.on('messageAdded', onClient);
    bobs.on('messageAdded', (message) => seen.push(['channel', message]));
    const message = await deliver(own, bobs, 'hello');
    bob.client.off('messageAdded', onClient);
    expect(seen).toEqual([
      ['client', message],
      ['channel', message],
    ]);
    expect(message.channel).toBe(bobs);
    expect((await bobs.getMessages(1)).items[0]).toBe(message);
  });

  test('replays the last message, decrypted, to onWithReplay', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'first');
    await deliver(own, bobs, 'second');
    const replayed: string[] = [];
    bobs.onWithReplay('messageAdded', ({ body }) => replayed.push(body));
    expect(replayed).toEqual(['second']);
  });

  test('gives one wrapper for each SDK object, and it is of the same class', async () => {
    const [own] = await pair(alice, bob);
    expect(alice.encryption.wrapClient(alice.raw)).toBe(alice.client);
    expect(await alice.client.getChannelBySid(own.sid)).toBe(own);
    expect(alice.client).toBeInstanceOf(alice.raw.constructor);
    const raw = await alice.raw.getChannelBySid(own.sid);
    expect(alice.encryption.wrapChannel(raw)).toBe(own);
    expect(own).toBeInstanceOf(raw.constructor);
  });

  test('works for one channel alone', async () => {
    const [own, bobs] = await pair(alice, bob);
    const raw = world.connect(bob.raw.token);
    await ready(raw);
    const bare: Channel = await raw.getChannelBySid(bobs.sid);
    const wrapped = bob.encryption.wrapChannel(bare);
    await wrapped.getMembers();
    expect((await deliver(own, wrapped, 'to one channel')).body).toBe('to one channel');
  });

  test('lets nothing internal of the SDK through', async () => {
    const [own, bobs] = await pair(alice, bob);
    const message = await deliver(own, bobs, 'hidden');
    for (const object of [alice.client, own, message]) {
      expect(Object.keys(object)).toEqual([]);
      expect(Reflect.get(object, 'services')).toBeUndefined();
      expect(Reflect.get(object, 'state')).toBe(object === own ? own.state : undefined);
      expect(Reflect.get(object, '_update')).toBeUndefined();
      expect(() => Reflect.set(object, 'body', 'x')).not.toThrow();
    }
    expect(message.body).toBe('hidden');
    expect(() => own.emit('messageAdded', message)).toThrow(
      expect.objectContaining({ code: 'NOT_SUPPORTED_ENCRYPTED' }),
    );
  });

  test('sends the attributes that an object had when it was given', async () => {
    const [own, bobs] = await pair(alice, bob);
    const got: unknown[] = [];
    bobs.on('messageAdded', (message) => got.push(message.attributes));
    const attributes = { step: 1 };
    const first = own.sendMessage('one', attributes);
    attributes.step = 2;
    await Promise.all([first, own.sendMessage('two', attributes)]);
    await expect.poll(() => got).toEqual([{ step: 1 }, { step: 2 }]);
  });

  test('sends nothing to a member who was removed by sid', async () => {
    const [own] = await pair(alice, bob);
    const member = await own.getMemberByIdentity('bob');
    const end = world.emulator.tamper.onPush(async ({ object }) => {
      if (object === `${own.sid}.roster`) await new Promise((done) => setTimeout(done, 300));
      return undefined;
    });
    await own.removeMember(member.sid);
    await own.sendMessage('without Bob');
    end();
    expect(slotsOf(world.emulator.inspect.messages(own.sid)[0]?.body ?? '')).toBe(1);
  });

  test('counts nothing twice: what was hidden and is removed is not left out again', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'one');
    const { tamper } = world.emulator;
    tamper.copy({ channel: own.sid, index: 0 }, { channel: own.sid });
    await deliver(own, bobs, 'two');
    expect(await bobs.getMessagesCount()).toBe(2);
    tamper.remove(own.sid, 1);
    await deliver(own, bobs, 'three');
    // The SDK keeps the count for half a second.
    await expect.poll(() => bobs.getMessagesCount()).toBe(3);
  });

  test('moves the read horizon also when the count cannot be corrected', async () => {
    const [own, bobs] = await pair(alice, bob);
    for (const body of ['one', 'two']) await deliver(own, bobs, body);
    const raw = await bob.raw.getChannelBySid(own.sid);
    raw.getMessages = () => Promise.reject(new Error('away'));
    expect(await bobs.updateLastConsumedMessageIndex(0)).toBe(1);
  });

  test('removes members given as wrapped objects, and passes what carries no content', async () => {
    const [own, bobs] = await pair(alice, bob);
    const left = next(own, 'memberLeft');
    await own.typing();
    const member = await own.getMemberByIdentity('bob');
    expect(member.channel).toBe(own);
    await own.removeMember(member);
    await left;
    expect(await own.getMembersCount()).toBe(1);
    expect(bobs.sid).toBe(own.sid);
  });
});
