/** What the simulator found, as short as it gets. */
import type { Channel, Message } from 'twilio-chat';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { deliver, history, next, pair, startWorld, type Person, type World } from './world.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
  await world.crowd([...CROWD, 'stranger']);
});

afterAll(() => world.close());

const CROWD = Array.from({ length: 15 }, (_, index) => `member ${index}`);

function anomaliesOf(messages: readonly Message[]): unknown[] {
  return messages.map(({ encryption }) =>
    encryption.status === 'verified' ? encryption.anomalies : encryption,
  );
}

async function join(channel: Channel, identity: string): Promise<void> {
  const joined = next(channel, 'memberJoined');
  world.emulator.tamper.addMember(channel.sid, identity);
  await joined;
}

test('no gap is reported in a history that is read after a message came live', async () => {
  const [own, bobs] = await pair(alice, bob);
  for (const body of ['one', 'two', 'three']) await deliver(own, bobs, body);
  const again = await world.again(bob);
  const channel = await again.client.getChannelBySid(own.sid);
  await channel.getMembers();
  await deliver(own, channel, 'four');
  expect(anomaliesOf(await history(channel))).toEqual([[], [], [], []]);
});

test('no gap is reported in a history that is read page by page', async () => {
  const [own, bobs] = await pair(alice, bob);
  for (const body of ['one', 'two', 'three', 'four']) await deliver(own, bobs, body);
  const again = await world.again(bob);
  const channel = await again.client.getChannelBySid(own.sid);
  expect(anomaliesOf(await history(channel, 2))).toEqual([[], [], [], []]);
});

test('nobody is a stranger whose card is being asked for', async () => {
  const [own, bobs] = await pair(alice, bob);
  await join(own, 'stranger');
  await vi.waitFor(async () => {
    expect(await bobs.getMembers()).toHaveLength(3);
  });
  const arrived: Message[] = [];
  bobs.on('messageAdded', (message) => arrived.push(message));
  await Promise.all([own.sendMessage('one'), own.sendMessage('two')]);
  await vi.waitFor(() => {
    expect(arrived).toHaveLength(2);
  });
  expect(anomaliesOf(arrived)).toEqual([[], []]);
});

test('nobody is a stranger who joined shortly after somebody else', async () => {
  const [own, bobs] = await pair(alice, bob);
  await join(own, 'member 0');
  await deliver(own, bobs, 'one');
  await Promise.all([join(own, 'member 1'), next(bobs, 'memberJoined')]);
  expect(anomaliesOf([await deliver(own, bobs, 'two')])).toEqual([[]]);
});

test('a gap is reported also when a key message stands behind it', async () => {
  const [own, bobs] = await pair(alice, bob);
  for (const identity of CROWD) await join(own, identity);
  await deliver(own, bobs, 'one');
  await deliver(own, bobs, 'withheld');
  await join(own, 'stranger');
  await deliver(own, bobs, 'three');
  world.emulator.tamper.rewrite(own.sid, 2, { body: 'e2e1.AQEB' }, 'silently');
  const again = await world.again(bob);
  const channel = await again.client.getChannelBySid(own.sid);
  const anomalies = anomaliesOf(await history(channel)).flat();
  expect(anomalies).toContainEqual({ code: 'GAP', from: 3, to: 3 });
});

test('no author of Twilio stands beside verified words, not for a moment', async () => {
  const [own, bobs] = await pair(alice, bob);
  const message = await deliver(own, bobs, 'I agree');
  const raw = await bob.raw.getChannelBySid(own.sid);
  // Here the SDK has taken in the new author, and nobody has judged the message again.
  const between = new Promise<readonly string[]>((resolve) => {
    raw.on('messageUpdated', () => {
      resolve([message.encryption.status, message.author]);
    });
  });
  world.emulator.tamper.rewrite(own.sid, 0, { author: 'carol' });
  expect(await between).not.toEqual(['verified', 'carol']);
});
