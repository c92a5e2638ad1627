/** What a compared safety number changes in a chat: how far the sender of a message is trusted. */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Channel } from 'twilio-chat';
import { deliver, history, pair, startWorld, type Person, type World } from './world.ts';

let world: World;
let alice: Person;
let bob: Person;
let own: Channel;
let bobs: Channel;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
  [own, bobs] = await pair(alice, bob);
});

afterAll(() => world.close());

test('a message under a card that was compared says so, and one of before when it is read again', async () => {
  expect((await deliver(bobs, own, 'before')).encryption).toMatchObject({ trust: 'new' });
  expect((await deliver(bobs, own, 'known')).encryption).toMatchObject({ trust: 'pinned' });
  const [mine, theirs] = await Promise.all([
    alice.encryption.safetyNumber('bob'),
    bob.encryption.safetyNumber('alice'),
  ]);
  expect(mine.digits).toBe(theirs.digits);
  expect(await alice.encryption.compareSafetyNumber('bob', theirs.qr)).toBe('match');
  expect(await alice.encryption.markVerified('bob', mine.digits)).toEqual([bob.encryption.cardId]);
  expect((await deliver(bobs, own, 'after')).encryption).toMatchObject({ trust: 'verified' });
  const read = await history(own);
  for (const { encryption } of read) expect(encryption).toMatchObject({ trust: 'verified' });
  // Who did not mark anybody sees no mark.
  expect((await deliver(own, bobs, 'hello')).encryption).not.toMatchObject({ trust: 'verified' });
});

test('a second device of theirs does not inherit the mark, acknowledged or not', async () => {
  const changed = new Promise<readonly string[]>((resolve) => {
    alice.encryption.on('keyChanged', ({ cardIds }) => {
      resolve(cardIds);
    });
  });
  const laptop = await world.again({ ...bob, keyStore: new MemoryKeyStore() });
  const channel = await laptop.client.getChannelBySid(own.sid);
  expect((await deliver(channel, own, 'from the laptop')).encryption).toMatchObject({
    trust: 'changed',
  });
  expect((await deliver(bobs, own, 'from the phone')).encryption).toMatchObject({
    trust: 'verified',
  });
  expect(await alice.encryption.acknowledge('bob', await changed)).toEqual([
    laptop.encryption.cardId,
  ]);
  expect((await deliver(channel, own, 'once more')).encryption).toMatchObject({ trust: 'pinned' });
});
