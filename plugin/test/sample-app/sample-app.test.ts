/**
 * An application that was written for the bare SDK shows the same with a wrapped client: what it does is
 * the same file, and what is changed is the one line that makes the client.
 */
import type { Client } from '@twilio/conversations';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { next, startWorld, type Person, type World } from '../integration/world.ts';
import { startApp, type Screen } from './conversations-app.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

type MakeClient = (person: Person) => Promise<Client>;

const LINE: Record<string, MakeClient> = {
  bare: (person) => world.conversations(person),
  wrapped: async (person) => person.encryption.wrapClient(await world.conversations(person)),
};

/** Two people use the application; gives what each of them saw on the way. */
async function chatFor(name: string): Promise<unknown[]> {
  const makeClient = LINE[name];
  if (!makeClient) throw new Error('No such client.');
  const people = await Promise.all(['alice', 'bob'].map((who) => world.person(`${who} ${name}`)));
  const [one, other] = await Promise.all(people.map(makeClient));
  if (!one || !other) throw new Error('Nobody is there.');
  const created = await one.createConversation();
  await created.join();
  const joined = next(other, 'conversationJoined');
  await created.add(other.user.identity);
  await joined;
  const [alice, bob] = [startApp(one), startApp(other)];
  await alice.open(created.sid);
  await bob.open(created.sid);
  return transcript(alice, bob, created.sid, name);
}

async function transcript(
  alice: Screen,
  bob: Screen,
  sid: string,
  name: string,
): Promise<unknown[]> {
  const seen: unknown[] = [];
  const plain = (text: string): string => text.replaceAll(` ${name}`, '').replaceAll(sid, 'it');
  const both = async (expected: readonly string[]): Promise<void> => {
    for (const { messages } of [alice, bob].map((screen) => ({
      messages: () => screen.messages.map(plain),
    }))) {
      await expect.poll(messages).toEqual(expected);
    }
    seen.push(expected);
  };
  await alice.say('hello');
  await both(['alice: hello {"likes":0}']);
  await alice.correct('hello Bob');
  await both(['alice: hello Bob {"likes":0}']);
  await alice.react('wave');
  await both(['alice: hello Bob {"reaction":"wave"}']);
  await bob.attach('knee.txt', Buffer.from('an X-ray'));
  const file = 'bob: look at knee.txt [knee.txt, text/plain, 8: an X-ray] {}';
  await both(['alice: hello Bob {"reaction":"wave"}', file]);
  await alice.say('oops');
  await both(['alice: hello Bob {"reaction":"wave"}', file, 'alice: oops {"likes":0}']);
  await alice.take();
  await both(['alice: hello Bob {"reaction":"wave"}', file]);
  await bob.markRead();
  seen.push((await bob.list()).map(plain));
  for (const text of ['1', '2', '3']) await alice.say(text);
  await expect.poll(() => bob.messages.length).toBe(5);
  seen.push((await bob.list()).map(plain));
  await alice.type();
  await expect.poll(() => bob.typing.map(plain)).toEqual(['alice']);
  seen.push('typing');
  await bob.open(sid);
  while (bob.hasOlder) await bob.older();
  seen.push(bob.messages.map(plain));
  return seen;
}

test('with the wrapped client it shows what it shows with the bare one', async () => {
  const bare = await chatFor('bare');
  expect(world.emulator.inspect.dump()).toContain('knee.txt');
  expect(await chatFor('wrapped')).toEqual(bare);
});

test('and Twilio sees nothing of it', () => {
  const stored = world.emulator.inspect
    .channels()
    .filter(({ members }) => members.includes('alice wrapped'))
    .map(({ sid }) => world.emulator.inspect.messages(sid));
  expect(JSON.stringify(stored)).not.toMatch(/hello|knee|wave|oops/);
});
