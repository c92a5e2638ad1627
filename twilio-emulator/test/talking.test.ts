import type { JSONValue } from '@twilio/conversations';
import { describe, expect, test, vi } from 'vitest';
import { createRoom } from './support/rooms.ts';
import { collect, next } from './support/sdk.ts';
import { createWorld, PAIRS } from './support/world.ts';

describe.concurrent.each(PAIRS)('$label: two in one room', ({ ours: first, theirs: second }) => {
  /** Alice's client is of the first SDK, Bob's of the second; both follow everything. */
  async function createScene(atEnd: (cleanUp: () => Promise<void>) => void) {
    const { device, emulator } = await createWorld({}, atEnd);
    const [alice, bob] = [await device(first, 'alice'), await device(second, 'bob')];
    const [ours, theirs] = await createRoom(emulator, alice, [bob]);
    if (theirs === undefined) expect.fail();
    return { emulator, alice, bob, ours, theirs };
  }

  test('see each other and talk', async ({ onTestFinished }) => {
    const { emulator, alice, bob, ours, theirs } = await createScene(onTestFinished);
    expect([alice.identity, bob.identity]).toEqual(['alice', 'bob']);
    expect(theirs.sid).toBe(ours.sid);
    const identities = (await theirs.members()).map(({ identity }) => identity);
    expect(identities.toSorted()).toEqual(['alice', 'bob']);

    const [heard, own] = [next(theirs, 'messageAdded'), next(ours, 'messageAdded')];
    expect(await ours.raw.sendMessage('hi', { k: [1, null] })).toBe(0);
    const message = await heard;
    expect(message).toMatchObject({
      ...{ index: 0, author: 'alice', body: 'hi', type: 'text', lastUpdatedBy: 'alice' },
      attributes: { k: [1, null] },
    });
    expect(message.sid).toBe((await own).sid);
    expect(message.dateCreated).toBeInstanceOf(Date);

    const answered = next(ours, 'messageAdded', ({ author }) => author === 'bob');
    expect(await theirs.raw.sendMessage('hello')).toBe(1);
    expect(await answered).toMatchObject({ body: 'hello', attributes: {} });
    expect(emulator.inspect.messages('u').map(({ body }) => body)).toEqual(['hi', 'hello']);
    await vi.waitFor(() => {
      expect(theirs.raw.lastMessage?.index).toBe(1);
    });
  });

  test('agree on one order of messages, and each hears every message once', async ({
    onTestFinished,
  }) => {
    const { ours, theirs } = await createScene(onTestFinished);
    const [atAlice, atBob] = [
      collect(ours, 'messageAdded', 40),
      collect(theirs, 'messageAdded', 40),
    ];
    const sent = Array.from({ length: 20 }, (_, i) => [
      ours.raw.sendMessage(`a${i}`),
      theirs.raw.sendMessage(`b${i}`),
    ]).flat();
    const indexes = await Promise.all(sent);
    expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    const bodies = (await atAlice).map(({ index, body }) => `${index} ${body ?? ''}`);
    expect((await atBob).map(({ index, body }) => `${index} ${body ?? ''}`)).toEqual(bodies);
    expect(new Set(bodies).size).toBe(40);
  });

  test.for([
    ['null', null],
    ['a text', 'é"\n'],
    ['a number', 0],
    ['false', false],
    ['a list', [1, 'b']],
    ['an object', { 'a b': 'ü' }],
  ] satisfies [string, JSONValue][])(
    'may have %s for the attributes',
    async ([, attributes], { onTestFinished }) => {
      const { ours, theirs } = await createScene(onTestFinished);
      const [heard, own] = [next(theirs, 'messageAdded'), next(ours, 'messageAdded')];
      await ours.raw.sendMessage(null, attributes);
      expect(await heard).toMatchObject({ attributes, body: '' });
      const changed = next(theirs, 'messageUpdated');
      await (await own).updateAttributes([attributes]);
      expect((await changed).message.attributes).toEqual([attributes]);
    },
  );

  test('see edits and removals', async ({ onTestFinished }) => {
    const { ours, theirs } = await createScene(onTestFinished);
    const [heard, own] = [next(theirs, 'messageAdded'), next(ours, 'messageAdded')];
    await ours.raw.sendMessage('frist', { n: 1 });
    const [message, mine] = [await heard, await own];

    const edited = next(theirs, 'messageUpdated', (e) => e.updateReasons.includes('body'));
    await mine.updateBody('first');
    expect((await edited).message.body).toBe('first');
    const changed = next(theirs, 'messageUpdated', (e) => e.updateReasons.includes('attributes'));
    await mine.updateAttributes({ n: 2 });
    expect((await changed).message.attributes).toEqual({ n: 2 });
    expect((await changed).message).toBe(message);

    const removed = next(theirs, 'messageRemoved');
    await mine.remove();
    expect((await removed).index).toBe(0);
    expect(await ours.raw.sendMessage('second')).toBe(1);
    expect(await ours.raw.getMessagesCount()).toBe(1);
  });

  test('may edit and remove only their own messages, the creator all', async ({
    onTestFinished,
  }) => {
    const { ours, theirs } = await createScene(onTestFinished);
    const heard = [collect(ours, 'messageAdded', 2), collect(theirs, 'messageAdded', 2)] as const;
    await ours.raw.sendMessage('by alice');
    await theirs.raw.sendMessage('by bob');
    const [atAlice, atBob] = await Promise.all(heard);

    await expect(atBob[0]?.updateBody('x')).rejects.toMatchObject({ status: 403 });
    await expect(atBob[0]?.updateAttributes({})).rejects.toMatchObject({ status: 403 });
    await expect(atBob[0]?.remove()).rejects.toMatchObject({ status: 403 });
    const edited = next(theirs, 'messageUpdated', (e) => e.updateReasons.includes('body'));
    await atAlice[1]?.updateBody('moderated');
    expect((await edited).message).toMatchObject({ author: 'bob', lastUpdatedBy: 'alice' });
    await atAlice[1]?.remove();
  });

  test('see signs of typing', async ({ onTestFinished }) => {
    const { ours, theirs } = await createScene(onTestFinished);
    const started = next(ours, 'typingStarted');
    await theirs.raw.typing();
    expect(await started).toMatchObject({ identity: 'bob', isTyping: true });
    const ended = next(ours, 'typingEnded');
    await theirs.raw.sendMessage('typed');
    expect(await ended).toMatchObject({ identity: 'bob', isTyping: false });
  });

  test('see how far the other has read, and count what they have not', async ({
    onTestFinished,
  }) => {
    const { ours, theirs } = await createScene(onTestFinished);
    const heard = collect(theirs, 'messageAdded', 3);
    for (const body of ['a', 'b', 'c']) await ours.raw.sendMessage(body);
    await heard;

    expect([theirs.horizon(), await theirs.unread()]).toEqual([null, null]);
    const moved = next(ours, 'memberUpdated', ({ member }) => member.identity === 'bob');
    const own = next(theirs, 'updated');
    expect(await theirs.read(0)).toBe(2);
    const { member } = await moved;
    expect(
      'lastReadMessageIndex' in member
        ? [member.lastReadMessageIndex, member.lastReadTimestamp]
        : [member.lastConsumedMessageIndex, member.lastConsumptionTimestamp],
    ).toEqual([0, expect.any(Date)]);
    await own;
    expect(theirs.horizon()).toBe(0);
    expect(await theirs.advance(1)).toBe(1);
    expect(await theirs.readAll()).toBe(0);
    expect(await theirs.readNone()).toBe(3);
    await vi.waitFor(() => {
      expect(theirs.horizon()).toBeNull();
    });
  });
});
