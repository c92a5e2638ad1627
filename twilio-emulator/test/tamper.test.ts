import { describe, expect, test } from 'vitest';
import type { Push } from '../src/index.ts';
import { collect, next } from './support/events.ts';
import { createPair, createWorld, settled } from './support/world.ts';

/** Two members; both follow everything. */
async function createScene(atEnd: (cleanUp: () => Promise<void>) => void) {
  const world = await createWorld({}, atEnd);
  const { connect, emulator } = world;
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  const [ours, theirs] = await createPair(alice, bob);
  await settled(emulator, 'alice');
  await settled(emulator, 'bob');
  return { ...world, ...emulator, alice, bob, ours, theirs };
}

const isMessage = ({ object, identity }: Push): boolean =>
  identity === 'bob' && object.endsWith('.messages');

describe.concurrent('a malicious Twilio', () => {
  test('rewrites a message before the eyes of its readers', async ({ onTestFinished }) => {
    const { tamper, ours, theirs } = await createScene(onTestFinished);
    await ours.sendMessage('pay 10', { n: 1 });
    const [rewritten, seen] = [next(theirs, 'messageUpdated'), next(ours, 'messageUpdated')];
    tamper.rewrite('u', 0, { body: 'pay 1000', author: 'bob' });
    expect((await rewritten).message).toMatchObject({ body: 'pay 1000', author: 'bob' });
    expect((await seen).message.attributes).toEqual({ n: 1 });
  });

  test('rewrites a message behind the back of who has not read it yet', async ({
    onTestFinished,
  }) => {
    const { tamper, bob, ours, theirs, connect } = await createScene(onTestFinished);
    const lost = next(bob, 'connectionStateChanged', (state) => state !== 'connected');
    tamper.disconnect('bob');
    await lost;
    await ours.sendMessage('pay 10');
    const heard = next(theirs, 'messageAdded');
    tamper.rewrite('u', 0, { body: 'pay 1000', attributes: '{"n":2}' }, 'silently');
    expect((await heard).body).toBe('pay 1000');

    const laptop = await connect('alice');
    const again = await laptop.getChannelByUniqueName('u');
    expect((await again.getMessages()).items[0]).toMatchObject({
      body: 'pay 1000',
      attributes: { n: 2 },
      lastUpdatedBy: 'alice',
    });
  });

  test('invents, copies and removes messages', async ({ onTestFinished }) => {
    const { tamper, inspect, alice, bob, ours, theirs } = await createScene(onTestFinished);
    const [, elsewhere] = await createPair(alice, bob, 'v');
    const invented = next(theirs, 'messageAdded');
    const forged = tamper.inject('u', { author: 'alice', body: 'never said' });
    expect(await invented).toMatchObject({ author: 'alice', body: 'never said', index: 0 });
    expect((await invented).memberSid).toBe((await theirs.getMemberByIdentity('alice')).sid);

    const copied = next(elsewhere, 'messageAdded');
    tamper.copy({ channel: 'u', index: 0 }, { channel: 'v' });
    expect(await copied).toMatchObject({ sid: forged.sid, body: 'never said' });

    const removed = next(theirs, 'messageRemoved');
    tamper.remove('u', 0);
    await removed;
    expect(await ours.sendMessage('later')).toBe(1);
    tamper.remove('u', 1, 'silently');
    expect(inspect.messages('u')).toEqual([]);
    expect(inspect.dump()).toContain('later');
  });

  test('puts a stranger among the members', async ({ onTestFinished }) => {
    const { tamper, theirs } = await createScene(onTestFinished);
    const joined = next(theirs, 'memberJoined');
    tamper.addMember('u', 'mallory');
    expect((await joined).identity).toBe('mallory');
  });

  test('drops, rewrites and repeats what it pushes', async ({ onTestFinished }) => {
    const { tamper, ours, theirs } = await createScene(onTestFinished);
    const heard = collect(theirs, 'messageAdded', 2);
    const undo = tamper.onPush((push) => {
      if (!isMessage(push)) return undefined;
      const { text } = push.data;
      if (text === 'dropped') return [];
      const id = push.id + 100;
      return [push, { ...push, id, key: 7, data: { ...push.data, text: 'rewritten' } }];
    });
    const own = collect(ours, 'messageAdded', 2);
    await ours.sendMessage('dropped');
    await ours.sendMessage('repeated');
    expect((await heard).map(({ index, body }) => `${index} ${body}`)).toEqual([
      '1 repeated',
      '7 rewritten',
    ]);
    undo();
    expect((await own).map(({ body }) => body)).toEqual(['dropped', 'repeated']);
  });

  test('delays and so reorders what it pushes', async ({ onTestFinished }) => {
    const { tamper, ours, theirs } = await createScene(onTestFinished);
    const heard = collect(theirs, 'messageAdded', 2);
    let release: (() => void) | undefined;
    tamper.onPush((push) => {
      if (!isMessage(push) || push.key !== 0) return undefined;
      return new Promise((resolve) => {
        release = () => {
          resolve([push]);
        };
      });
    });
    await ours.sendMessage('first');
    const second = next(theirs, 'messageAdded');
    await ours.sendMessage('second');
    await second;
    release?.();
    expect((await heard).map(({ body }) => body)).toEqual(['second', 'first']);
  });

  test('fails requests, before or after they take effect', async ({ onTestFinished }) => {
    const { tamper, inspect, ours } = await createScene(onTestFinished);
    const isSend = ({ method, path }: { method: string; path: string }): boolean =>
      method === 'POST' && path.endsWith('/Messages');
    const undo = tamper.onRequest((request) =>
      isSend(request) ? { when: 'before', then: 'fail', status: 503 } : undefined,
    );
    await expect(ours.sendMessage('refused')).rejects.toMatchObject({ status: 503 });
    undo();
    const undoLater = tamper.onRequest(async (request) => {
      await Promise.resolve();
      return isSend(request) ? { when: 'after', then: 'fail', status: 429 } : undefined;
    });
    await expect(ours.sendMessage('stored')).rejects.toMatchObject({ status: 429 });
    undoLater();
    expect(inspect.messages('u').map(({ body }) => body)).toEqual(['stored']);
  });

  test('cannot change what is stored by changing what is pushed', async ({ onTestFinished }) => {
    const { tamper, inspect, ours, theirs } = await createScene(onTestFinished);
    const heard = next(theirs, 'messageAdded');
    tamper.onPush((push) => {
      Object.assign(push.data, { text: 'changed in place' });
      return undefined;
    });
    await ours.sendMessage('said');
    expect((await heard).body).toBe('changed in place');
    expect(inspect.messages('u')[0]?.body).toBe('said');
  });
});

describe.concurrent('a curious Twilio', () => {
  test('sees everything that is stored, and its history', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const alice = await connect('alice');
    const channel = await alice.createChannel({
      uniqueName: 'u',
      friendlyName: 'the name',
      attributes: { word: 'zebra' },
    });
    await channel.join();
    await channel.getMembers();
    const heard = next(channel, 'messageAdded');
    await channel.sendMessage('first words', { mood: 'merry' });
    await (await heard).updateBody('second words');
    expect(emulator.inspect.channels()).toMatchObject([
      { sid: channel.sid, friendlyName: 'the name', members: ['alice'], messageCount: 1 },
    ]);
    expect(emulator.inspect.messages(channel.sid)).toMatchObject([
      { index: 0, author: 'alice', body: 'second words', attributes: '{"mood":"merry"}' },
    ]);
    for (const word of ['the name', 'zebra', 'first words', 'second words', 'merry']) {
      expect(emulator.inspect.dump()).toContain(word);
    }
    expect(() => emulator.inspect.messages('nowhere')).toThrow('Channel not found');
  });

  test('remembers the last frames it got, if it is told to', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({ record: 20 }, onTestFinished);
    const alice = await connect('alice');
    const channel = await alice.createChannel({ uniqueName: 'u' });
    await channel.join();
    await channel.getMembers();
    await settled(emulator, 'alice');
    for (let i = 0; i < 30; i++) await channel.sendMessage(`word ${i}`);
    const frames = emulator.inspect.received();
    expect(frames.length).toBe(20);
    expect(frames.some(({ payload }) => payload.includes('word 29'))).toBe(true);
    expect(frames.some(({ payload }) => payload.includes('"word 0"'))).toBe(false);
    expect(frames.every(({ identity }) => identity === 'alice')).toBe(true);
  });
});
