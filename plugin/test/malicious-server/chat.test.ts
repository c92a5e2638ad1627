/** The server lies while people chat: both SDK clients are real, and Twilio holds what they sent. */
import type { Channel, Message } from 'twilio-chat';
import type { DeviceEvents } from 'twilio-chat-encryption';
import { exportCard } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { PINS } from '../client/logged-directory.ts';
import { next } from '../integration/next.ts';
import { slotsOf } from '../integration/slots-of.ts';
import { deliver, pair, startWorld, type Person, type World } from '../integration/world.ts';
import type { Person as Holder } from '../protocol/people.ts';
import { openRaw } from '../protocol/malicious-member.ts';
import { forged } from './forged.ts';
import { Fork, showing } from './fork.ts';
import { finding, type Lie } from './lies.ts';
import { MaliciousServer } from './server.ts';

let world: World;
let server: MaliciousServer;
let people = 0;
let alice: Person;
let bob: Person;
let evil: Holder;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

beforeEach(async () => {
  server = new MaliciousServer();
  people += 1;
  [alice, bob] = await Promise.all([person(`alice ${people}`), person(`bob ${people}`)]);
  evil = await forged(bob.identity);
});

const person = (identity: string): Promise<Person> =>
  world.person(identity, { ...PINS, server: server.as(identity) });

/** The next event of this name. */
function once<Name extends keyof DeviceEvents>(
  { encryption }: Person,
  name: Name,
): Promise<DeviceEvents[Name]> {
  return new Promise((resolve) => {
    encryption.on(name, resolve);
  });
}

/** For how many cards each message of a channel is, as Twilio has it. */
const slotsIn = ({ sid }: Channel): number[] =>
  world.emulator.inspect.messages(sid).map(({ body }) => slotsOf(body));

/** Which messages of a channel the server can read with the key of its own card. */
function readIn({ sid }: Channel): number[] {
  return world.emulator.inspect.messages(sid).flatMap(({ body, index }) => {
    try {
      openRaw(body, evil.encryptionSecret);
      return [index];
    } catch {
      return [];
    }
  });
}

/** Another log for this person, in which Bob has a card more. */
async function shownOne(viewer: Person): Promise<void> {
  const fork = await Fork.of(server.truth);
  await fork.publish(exportCard(evil.card));
  server.tell(showing(fork), viewer.identity);
}

const proofless: Lie = finding(({ entries }) => ({
  entries,
  proof: { siblings: [], other: null },
}));

test('a card that Alice alone is shown gets nothing, if she knows Bob; both are told', async () => {
  await alice.encryption.trustOf(bob.identity);
  await shownOne(alice);
  const [own, bobs] = await pair(alice, bob);
  const [changed, split] = [once(alice, 'keyChanged'), once(bob, 'splitView')];
  await alice.encryption.cards.find(bob.identity);
  const read = await deliver(own, bobs, 'for one device');
  expect(read.encryption).toMatchObject({ status: 'verified' });
  expect(await changed).toEqual({ identity: bob.identity, cardIds: [evil.card.id] });
  const evidence = await split;
  expect(await bob.encryption.splitView()).toEqual(evidence);
  expect(slotsIn(own)).toEqual([2]);
  expect(readIn(own)).toEqual([]);
});

test('a card that Alice sees with Bob’s at first sight is found out with her first message', async () => {
  await shownOne(alice);
  const [own, bobs] = await pair(alice, bob);
  const split = once(bob, 'splitView');
  await deliver(own, bobs, 'hello');
  await split;
  expect(slotsIn(own)).toEqual([3]);
  expect(readIn(own)).toEqual([0]);
  const trusted = await alice.encryption.trustOf(bob.identity);
  expect(trusted.map(({ trust }) => trust)).toEqual(['pinned', 'pinned']);
});

test('a card in the log of all is reported to Bob by the message of somebody who was shown it', async () => {
  await alice.encryption.trustOf(bob.identity);
  await server.truth.publish(exportCard(evil.card));
  const [own, bobs] = await pair(alice, bob);
  const [changed, unknown] = [once(alice, 'keyChanged'), once(bob, 'ownCardUnknown')];
  await alice.encryption.cards.find(bob.identity);
  await deliver(own, bobs, 'for one device');
  const cards = { identity: bob.identity, cardIds: [evil.card.id] };
  expect(await changed).toEqual(cards);
  expect(await unknown).toEqual(cards);
  expect(slotsIn(own)).toEqual([2]);
  expect(readIn(own)).toEqual([]);
});

test('a message of somebody unknown is shown when the server proves who they are, by itself', async () => {
  const [own, bobs] = await pair(alice, bob);
  server.tell(proofless, bob.identity);
  const message = await deliver(own, bobs, 'hello');
  expect(message.encryption).toEqual({ status: 'pending', code: 'CARD_PENDING' });
  expect(message.body).toBe('[pending: CARD_PENDING]');
  const updated = next<{ message: Message }>(bobs, 'messageUpdated');
  server.repent();
  await updated;
  expect(message.encryption).toMatchObject({ status: 'verified', trust: 'new' });
  expect(message.body).toBe('hello');
});

test('a message that waits for the server is sent when it answers', async () => {
  const [own, bobs] = await pair(alice, bob);
  const identity = alice.identity;
  server.tell(() => ({ lookup: () => Promise.reject(new Error('gone')) }), identity);
  const before = server.askedBy(identity).length;
  const arrived = next<Message>(bobs, 'messageAdded');
  const sending = own.sendMessage('hello');
  await expect.poll(() => server.askedBy(identity).length).toBeGreaterThan(before);
  server.repent();
  expect(await sending).toBe(0);
  expect((await arrived).body).toBe('hello');
});

test('an answer that proves nothing keeps a message from being sent, and the next one goes', async () => {
  const [own, bobs] = await pair(alice, bob);
  server.tell(proofless, alice.identity);
  await expect(own.sendMessage('secret')).rejects.toMatchObject({ code: 'LOG_INVALID' });
  expect(slotsIn(own)).toEqual([]);
  server.repent();
  expect((await deliver(own, bobs, 'hello')).body).toBe('hello');
});
