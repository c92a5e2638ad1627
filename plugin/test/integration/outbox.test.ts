/** A message that was sent once is there once, whatever happens to the connection meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliver, history, next, pair, startWorld, type Person, type World } from './world.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
});

afterAll(() => world.close());

type Fate = NonNullable<
  Awaited<ReturnType<Parameters<World['emulator']['tamper']['onRequest']>[0]>>
>;

/** The next message that is posted meets this fate, and those after it the next ones. */
function befall(...fates: Fate[]): void {
  const undo = world.emulator.tamper.onRequest(({ method, path }) => {
    if (method !== 'POST' || !path.endsWith('/Messages')) return undefined;
    const fate = fates.shift();
    if (fates.length === 0) undo();
    return fate;
  });
}

describe('a message whose sending is cut off', () => {
  test('before it took effect arrives once, by itself', async () => {
    const [own, bobs] = await pair(alice, bob);
    befall({ when: 'before', then: 'disconnect' });
    const arrived = next(bobs, 'messageAdded');
    expect(await own.sendMessage('hello')).toBe(0);
    await arrived;
    await deliver(own, bobs, 'and on');
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['hello', 'and on']);
    expect(world.emulator.inspect.messages(own.sid)).toHaveLength(2);
  });

  test('after it took effect is found, and not posted again', async () => {
    const [own, bobs] = await pair(alice, bob);
    befall({ when: 'after', then: 'disconnect' });
    expect(await own.sendMessage('hello')).toBe(0);
    expect(world.emulator.inspect.messages(own.sid)).toHaveLength(1);
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['hello']);
  });

  test('with an error of the server that says nothing is treated likewise', async () => {
    const [own, bobs] = await pair(alice, bob);
    befall({ when: 'after', then: 'fail', status: 500 });
    expect(await own.sendMessage('hello')).toBe(0);
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['hello']);
  });

  test('again and again fails as DELIVERY_UNKNOWN, and is not posted later', async () => {
    const [own, bobs] = await pair(alice, bob);
    const fail = { when: 'before', then: 'fail', status: 500 } as const;
    befall(fail, fail, fail);
    await expect(own.sendMessage('lost')).rejects.toMatchObject({ code: 'DELIVERY_UNKNOWN' });
    const message = await deliver(own, bobs, 'next');
    // Its number is gone; what stands before it would be missed.
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['next']);
    expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
  });
});

test('a refusal of Twilio is passed on as it is, and nothing is posted later', async () => {
  const [own, bobs] = await pair(alice, bob);
  await deliver(own, bobs, 'one');
  befall({ when: 'before', then: 'fail', status: 403 });
  await expect(own.sendMessage('refused')).rejects.toMatchObject({ status: 403 });
  const message = await deliver(own, bobs, 'two');
  expect((await history(bobs)).map(({ body }) => body)).toEqual(['one', 'two']);
  // The number was given away: readers are told that something was to stand here.
  expect(message.encryption).toMatchObject({ anomalies: [{ code: 'GAP', from: 2, to: 2 }] });
});
