/** Edits: the whole message encrypted again, in the place of the one before. */
import type { Channel, Message } from 'twilio-chat';
import { parseEnvelope } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
});

afterAll(() => world.close());

interface Update {
  readonly message: Message;
  readonly updateReasons: readonly string[];
}

async function first(channel: Channel): Promise<Message> {
  const [message] = await history(channel);
  if (!message) throw new Error('There is no message.');
  return message;
}

/** A message of Alice, as she and as Bob have it. */
async function sent(body: string, attributes?: unknown) {
  const [own, bobs] = await pair(alice, bob);
  const theirs = await deliver(own, bobs, body, attributes);
  return { own, bobs, mine: await first(own), theirs };
}

describe('an edit', () => {
  test('of the body is read by the others, and keeps the attributes', async () => {
    const { bobs, mine, theirs } = await sent('helo', { mood: 'good' });
    const updated = next<Update>(bobs, 'messageUpdated');
    expect(await mine.updateBody('hello')).toBe(mine);
    expect((await updated).message).toBe(theirs);
    expect((await updated).updateReasons).toContain('body');
    expect((await updated).updateReasons).not.toContain('attributes');
    expect([theirs.body, theirs.attributes]).toEqual(['hello', { mood: 'good' }]);
    expect(theirs.encryption).toMatchObject({ status: 'verified', revision: 1, anomalies: [] });
  });

  test('of the attributes keeps the body', async () => {
    const { bobs, mine, theirs } = await sent('hello');
    const updated = next<Update>(bobs, 'messageUpdated');
    await mine.updateAttributes({ mood: 'better' });
    expect((await updated).updateReasons).toContain('attributes');
    expect((await updated).updateReasons).not.toContain('body');
    expect([theirs.body, theirs.attributes]).toEqual(['hello', { mood: 'better' }]);
  });

  test('has nothing of what the application did to the attributes that it was given', async () => {
    const { mine, theirs } = await sent('helo', { list: ['sent'] });
    const { list } = mine.attributes as { list: string[] };
    list.push('a draft');
    await mine.updateBody('hello');
    await expect.poll(() => theirs.body).toBe('hello');
    expect(theirs.attributes).toEqual({ list: ['sent'] });
  });

  test('keeps id and place of the message, and no plaintext reaches Twilio', async () => {
    const { own, bobs, mine, theirs } = await sent('before-the-edit');
    const { encryption } = theirs;
    const updated = next(bobs, 'messageUpdated');
    await mine.updateBody('after-the-edit');
    await updated;
    if (encryption.status !== 'verified') throw new Error(encryption.code);
    expect(theirs.encryption).toMatchObject({ messageId: encryption.messageId });
    expect(world.emulator.inspect.messages(own.sid)).toHaveLength(1);
    expect(world.emulator.inspect.dump()).not.toMatch(/before-the-edit|after-the-edit/);
  });

  test('right after another keeps what that one changed', async () => {
    const { own, mine } = await sent('one', { mood: 'good' });
    await Promise.all([mine.updateBody('two'), mine.updateAttributes({ mood: 'better' })]);
    const fresh = await world.again(bob);
    const theirs = await first(await fresh.client.getChannelBySid(own.sid));
    expect([theirs.body, theirs.attributes]).toEqual(['two', { mood: 'better' }]);
    expect(theirs.encryption).toMatchObject({ revision: 2, anomalies: [] });
  });

  test('makes no gap and no disorder among the messages behind it', async () => {
    const { own, bobs, mine } = await sent('one');
    await mine.updateBody('one, edited');
    await deliver(own, bobs, 'two');
    const fresh = await world.again(bob);
    const all = await history(await fresh.client.getChannelBySid(own.sid));
    expect(all.map(({ body }) => body)).toEqual(['one, edited', 'two']);
    for (const { encryption } of all) expect(encryption).toMatchObject({ anomalies: [] });
  });

  test('is not for those who left, and for those who came', async () => {
    const { own, mine } = await sent('one');
    const carol = await world.person('carol');
    const carols = await bring(own, carol);
    expect((await first(carols)).encryption).toMatchObject({ code: 'SENT_BEFORE_JOIN' });
    const updated = next(carols, 'messageUpdated');
    await own.removeMember('bob');
    await mine.updateBody('bob is not to read this');
    await updated;
    expect((await first(carols)).body).toBe('bob is not to read this');
    const edit = parseEnvelope(world.emulator.inspect.messages(own.sid)[0]?.body ?? '');
    expect(edit.type === 'carrier' && edit.slots.slots.length / edit.slots.slotLength).toBe(2);
  });

  test('takes the message from those who were out, also when they return', async () => {
    const { own, bobs, mine, theirs } = await sent('one');
    await deliver(own, bobs, 'two');
    await own.removeMember('bob');
    await mine.updateBody('one, edited');
    await bring(own, bob);
    const fresh = await world.again(bob);
    const all = await history(await fresh.client.getChannelBySid(own.sid));
    expect(theirs.body).toBe('one');
    const lost = { status: 'unavailable', code: 'SENT_BEFORE_JOIN' };
    expect(all.map(({ encryption }) => encryption)).toEqual([
      lost,
      // He read this one, and its key is his still.
      expect.objectContaining({ status: 'verified', anomalies: [] }),
    ]);
  });

  test.each([
    ['body', (message: Message) => message.updateBody('x'.repeat(30_000)), 'MESSAGE_TOO_LARGE'],
    ['attributes', (message: Message) => message.updateAttributes(1n), 'INVALID_CONTENT'],
  ])('of a %s that cannot be sent changes nothing', async (_part, edit, code) => {
    const { own, mine } = await sent('one');
    const before = world.emulator.inspect.messages(own.sid);
    await expect(edit(mine)).rejects.toMatchObject({ code });
    expect(world.emulator.inspect.messages(own.sid)).toEqual(before);
    expect(mine.body).toBe('one');
  });
});

/** Does something of which Bob's clients do not hear. */
async function unseenByBob(action: () => Promise<unknown>): Promise<void> {
  const { promise: dropped, resolve } = Promise.withResolvers<null>();
  const stop = world.emulator.tamper.onPush(({ identity, object }) => {
    if (identity !== 'bob' || !object.endsWith('.messages')) return undefined;
    resolve(null);
    return [];
  });
  await action();
  await dropped;
  stop();
}

describe('an edit of a message whose copy was seen first', () => {
  /** Bob was shown the copy, at 1; the message, at 0, is hidden from him. */
  async function copySeenFirst() {
    const [own, bobs] = await pair(alice, bob);
    await unseenByBob(() => own.sendMessage('helo'));
    const arrived = next<Message>(bobs, 'messageAdded');
    world.emulator.tamper.copy({ channel: own.sid, index: 0 }, { channel: own.sid });
    const copy = await arrived;
    expect((await history(bobs)).map(({ index }) => index)).toEqual([1]);
    return { own, bobs, copy, mine: await first(own) };
  }

  test('takes its place: the message is shown where it stands, and the copy is removed', async () => {
    const { bobs, copy, mine } = await copySeenFirst();
    const events: [string, number][] = [];
    bobs.on('messageAdded', ({ index }) => events.push(['added', index]));
    bobs.on('messageUpdated', ({ message: { index } }) => events.push(['updated', index]));
    const removed = next<Message>(bobs, 'messageRemoved');
    await mine.updateBody('hello');
    expect(await removed).toBe(copy);
    expect(events).toEqual([['added', 0]]);
    expect(copy.body).not.toContain('helo');
    for (const channel of [bobs, await (await world.again(bob)).client.getChannelBySid(bobs.sid)]) {
      const all = await history(channel);
      expect(all.map(({ index, body }) => [index, body])).toEqual([[0, 'hello']]);
      expect(all[0]?.encryption).toMatchObject({ status: 'verified', anomalies: [] });
    }
  });

  test('is not taken anywhere else', async () => {
    const { own, bobs, mine } = await copySeenFirst();
    await unseenByBob(() => mine.updateBody('hello'));
    const arrived = next<Message>(bobs, 'messageAdded');
    world.emulator.tamper.copy({ channel: own.sid, index: 0 }, { channel: own.sid });
    expect((await arrived).encryption).toEqual({ status: 'rejected', code: 'REPLAYED' });
  });
});

describe('an edit is refused', () => {
  test("of somebody else's message", async () => {
    const { theirs } = await sent('one');
    await expect(theirs.updateBody('mine now')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('of a message that cannot be verified', async () => {
    const { own, bobs, mine } = await sent('one');
    const updated = next(bobs, 'messageUpdated');
    world.emulator.tamper.rewrite(own.sid, 0, { body: 'plain' });
    await updated;
    await expect.poll(() => mine.encryption.status).toBe('rejected');
    await expect(mine.updateBody('two')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('Twilio cannot', () => {
  test('take an edit back unnoticed', async () => {
    const { own, bobs, mine, theirs } = await sent('pay 10');
    const [before] = world.emulator.inspect.messages(own.sid);
    const edited = next(bobs, 'messageUpdated');
    await mine.updateBody('pay 1000');
    await edited;
    const back = next(bobs, 'messageUpdated');
    world.emulator.tamper.rewrite(own.sid, 0, { body: before?.body ?? '' });
    await back;
    expect(theirs.encryption).toMatchObject({ revision: 0, anomalies: [{ code: 'ROLLED_BACK' }] });
    // Also after a restart.
    const fresh = await world.again(bob);
    const again = await first(await fresh.client.getChannelBySid(own.sid));
    expect(again.encryption).toMatchObject({ anomalies: [{ code: 'ROLLED_BACK' }] });
  });

  test('have the next edit refused by taking the one before back', async () => {
    const { own, bobs, mine, theirs } = await sent('pay 10');
    const [before] = world.emulator.inspect.messages(own.sid);
    const edited = Promise.all([next(bobs, 'messageUpdated'), next(own, 'messageUpdated')]);
    await mine.updateBody('pay 1000');
    await edited;
    const fresh = await world.again(alice);
    world.emulator.tamper.rewrite(own.sid, 0, { body: before?.body ?? '' }, 'silently');
    const again = await first(await fresh.client.getChannelBySid(own.sid));
    expect(again.body).toBe('pay 10');
    const editedAgain = next(bobs, 'messageUpdated');
    await again.updateBody('pay 100');
    await editedAgain;
    expect(theirs.body).toBe('pay 100');
    expect(theirs.encryption).toMatchObject({ revision: 2, anomalies: [] });
  });

  test('put an edit into the place of another message', async () => {
    const { own, bobs, mine } = await sent('one');
    const second = await deliver(own, bobs, 'two');
    const edited = next(bobs, 'messageUpdated');
    await mine.updateBody('one, edited');
    await edited;
    const [edit] = world.emulator.inspect.messages(own.sid);
    const moved = next(bobs, 'messageUpdated');
    world.emulator.tamper.rewrite(own.sid, 1, { body: edit?.body ?? '' });
    await moved;
    expect(second.encryption).toEqual({ status: 'rejected', code: 'REPLAYED' });
    expect(second.body).not.toContain('edited');
  });
});
