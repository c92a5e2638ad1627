import { describe, expect, test } from 'vitest';
import { collect, next } from './support/events.ts';
import { createPair, createWorld } from './support/world.ts';

describe.concurrent('two clients in one channel', () => {
  test('see each other join and talk', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);

    const heard = next(theirs, 'messageAdded');
    expect(await ours.sendMessage('hi', { k: 1 })).toBe(0);
    const message = await heard;
    expect([message.body, message.attributes, message.author, message.index]).toEqual([
      'hi',
      { k: 1 },
      'alice',
      0,
    ]);
    expect(message.memberSid).toBe((await theirs.getMemberByIdentity('alice')).sid);

    const answered = next(ours, 'messageAdded', ({ author }) => author === 'bob');
    expect(await theirs.sendMessage('hello')).toBe(1);
    expect((await answered).body).toBe('hello');
    expect(emulator.inspect.messages('u').map(({ body }) => body)).toEqual(['hi', 'hello']);
  });

  test('agree on one order of messages, and each hears every message once', async ({
    onTestFinished,
  }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const [atAlice, atBob] = [
      collect(ours, 'messageAdded', 40),
      collect(theirs, 'messageAdded', 40),
    ];
    const sent = Array.from({ length: 20 }, (_, i) => [
      ours.sendMessage(`a${i}`),
      theirs.sendMessage(`b${i}`),
    ]).flat();
    const indexes = await Promise.all(sent);
    expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    const bodies = (await atAlice).map(({ index, body }) => `${index} ${body}`);
    expect((await atBob).map(({ index, body }) => `${index} ${body}`)).toEqual(bodies);
    expect(new Set(bodies).size).toBe(40);
  });

  test('see edits and removals', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const heard = next(theirs, 'messageAdded');
    const own = next(ours, 'messageAdded');
    await ours.sendMessage('frist', { n: 1 });
    const [message, mine] = [await heard, await own];

    const edited = next(theirs, 'messageUpdated', (e) => e.updateReasons.includes('body'));
    await mine.updateBody('first');
    expect((await edited).message.body).toBe('first');
    const changed = next(theirs, 'messageUpdated', (e) => e.updateReasons.includes('attributes'));
    await mine.updateAttributes({ n: 2 });
    expect((await changed).message.attributes).toEqual({ n: 2 });
    expect(message.lastUpdatedBy).toBe('alice');

    const removed = next(theirs, 'messageRemoved');
    await mine.remove();
    expect((await removed).index).toBe(0);
    expect(await ours.sendMessage('second')).toBe(1);
    expect(await ours.getMessagesCount()).toBe(1);
  });

  test('may edit and remove only their own messages, the creator all', async ({
    onTestFinished,
  }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const heard = [collect(ours, 'messageAdded', 2), collect(theirs, 'messageAdded', 2)] as const;
    await ours.sendMessage('by alice');
    await theirs.sendMessage('by bob');
    const [atAlice, atBob] = await Promise.all(heard);

    await expect(atBob[0]?.updateBody('x')).rejects.toMatchObject({ status: 403 });
    await expect(atBob[0]?.remove()).rejects.toMatchObject({ status: 403 });
    await atAlice[1]?.updateBody('moderated');
    await atAlice[1]?.remove();
  });

  test('see signs of typing', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const started = next(ours, 'typingStarted');
    await theirs.typing();
    expect((await started).identity).toBe('bob');
    const ended = next(ours, 'typingEnded');
    await theirs.sendMessage('typed');
    expect((await ended).identity).toBe('bob');
  });

  test('see how far the other has read', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const heard = collect(theirs, 'messageAdded', 3);
    for (const body of ['a', 'b', 'c']) await ours.sendMessage(body);
    await heard;

    expect(await theirs.getUnconsumedMessagesCount()).toBeNull();
    const moved = next(ours, 'memberUpdated', ({ member }) => member.identity === 'bob');
    expect(await theirs.updateLastConsumedMessageIndex(0)).toBe(2);
    expect((await moved).member.lastConsumedMessageIndex).toBe(0);
    expect(await theirs.setAllMessagesConsumed()).toBe(0);
    expect(await theirs.setNoMessagesConsumed()).toBe(3);
  });
});
