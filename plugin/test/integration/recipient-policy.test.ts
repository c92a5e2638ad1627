/** Who gets messages is what Twilio says: what an application can do about somebody new. */
import type { NewRecipients } from 'twilio-chat-encryption';
import type { Channel } from 'twilio-chat';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliver, next, pair, startWorld, type Person, type World } from './world.ts';
import { slotsOf } from './slots-of.ts';

let world: World;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  bob = await world.person('bob');
  await world.crowd(['mallory']);
});

afterAll(() => world.close());

/** Twilio makes Mallory a member. */
async function intrude(channel: Channel): Promise<void> {
  const joined = next(channel, 'memberJoined');
  world.emulator.tamper.addMember(channel.sid, 'mallory');
  await joined;
}

test("'notify' tells of everybody new before the message is sent, once, also after a restart", async () => {
  const alice = await world.person('alice 1');
  const told: NewRecipients[] = [];
  const sentBefore: number[] = [];
  const [own, bobs] = await pair(alice, bob);
  alice.encryption.on('recipientAdded', (added) => {
    told.push(added);
    sentBefore.push(world.emulator.inspect.messages(own.sid).length);
  });
  await deliver(own, bobs, 'one');
  await intrude(own);
  await deliver(own, bobs, 'two');
  await deliver(own, bobs, 'three');
  const again = await world.again(alice);
  again.encryption.on('recipientAdded', (added) => told.push(added));
  const channel = await again.client.getChannelBySid(own.sid);
  await deliver(channel, bobs, 'four');
  expect(told.map(({ identities }) => identities)).toEqual([['bob'], ['mallory']]);
  expect(sentBefore).toEqual([0, 1]);
  expect(await again.encryption.recipients(own.sid)).toEqual(['bob', 'mallory']);
});

test('a function that does not approve keeps the message back, until it does', async () => {
  const asked: (readonly string[])[] = [];
  const friends = new Set(['bob']);
  const alice = await world.person('alice 2', {
    recipients: ({ identities }) => {
      asked.push(identities);
      return identities.every((identity) => friends.has(identity));
    },
  });
  const [own, bobs] = await pair(alice, bob);
  await deliver(own, bobs, 'one');
  await intrude(own);
  await expect(own.sendMessage('two')).rejects.toMatchObject({
    code: 'RECIPIENT_UNAPPROVED',
    identities: ['mallory'],
  });
  expect(world.emulator.inspect.messages(own.sid)).toHaveLength(1);
  friends.add('mallory');
  const message = await deliver(own, bobs, 'three');
  expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
  expect(asked).toEqual([['bob'], ['mallory'], ['mallory']]);
});

test('a function that throws keeps the message back', async () => {
  const alice = await world.person('alice 3', {
    recipients: () => Promise.reject(new Error('the dialog was closed')),
  });
  const [own] = await pair(alice, bob);
  await expect(own.sendMessage('one')).rejects.toThrow('the dialog was closed');
  expect(world.emulator.inspect.messages(own.sid)).toHaveLength(0);
});

test('who left while the application was asked about somebody gets nothing', async () => {
  await world.crowd(['carol']);
  let approve = (): void => undefined;
  const asked: (readonly string[])[] = [];
  const alice = await world.person('alice 5', {
    recipients: ({ identities }) => {
      asked.push(identities);
      if (!identities.some((identity) => identity === 'mallory')) return true;
      return new Promise((resolve) => {
        approve = () => {
          resolve(true);
        };
      });
    },
  });
  const [own] = await pair(alice, bob);
  await own.add('carol');
  await intrude(own);
  const sending = own.sendMessage('one');
  await expect.poll(() => asked).toHaveLength(1);
  await own.removeMember('carol');
  approve();
  await sending;
  const [message] = world.emulator.inspect.messages(own.sid);
  // Alice, Bob and Mallory.
  expect(slotsOf(message?.body ?? '')).toBe(3);
});

test('while the application is asked about one channel, others are sent to, also by other tabs there', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<boolean>();
  const asked: NewRecipients[] = [];
  const alice = await world.person('alice 6', {
    recipients: (added) => {
      asked.push(added);
      return asked.length === 1 ? answered : true;
    },
  });
  const otherTab = await world.again(alice, { recipients: 'open' });
  const [slow] = await pair(alice, bob);
  const [quick, bobs] = await pair(alice, bob);
  const waiting = slow.sendMessage('one');
  await expect.poll(() => asked).toHaveLength(1);
  await deliver(quick, bobs, 'two');
  const there = await otherTab.client.getChannelBySid(slow.sid);
  expect(await there.sendMessage('three')).toBe(0);
  answer(true);
  expect(await waiting).toBe(1);
});

test("'open' asks and tells nobody", async () => {
  const alice = await world.person('alice 4', { recipients: 'open' });
  const told: NewRecipients[] = [];
  alice.encryption.on('recipientAdded', (added) => told.push(added));
  const [own, bobs] = await pair(alice, bob);
  await deliver(own, bobs, 'one');
  expect(told).toEqual([]);
});
