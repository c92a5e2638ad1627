/**
 * An application that was written for the bare SDK shows the same with a wrapped client: what it does is
 * the same file, and what is changed is the one line that makes the client.
 */
import type * as Conversations from '@twilio/conversations';
import type * as Chat from 'twilio-chat';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { twilioToken } from '../integration/accounts.ts';
import { next, startWorld, type Person, type World } from '../integration/world.ts';
import { startChatApp } from './chat-app.ts';
import { startConversationsApp } from './conversations-app.ts';
import type { Screen } from './screen.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

/** One of the two clients, and what is asked of it before two people have a channel. */
interface App {
  readonly identity: string;
  readonly screen: Screen;
  /** Makes a channel, with the other in it; gives its sid. */
  begin(other: App): Promise<string>;
  joined(): Promise<unknown>;
}

type Line = (person: Person) => Promise<App>;

async function chatApp(making: Promise<Chat.Client>): Promise<App> {
  const client = await making;
  return {
    identity: client.user.identity,
    screen: startChatApp(client),
    joined: () => next(client, 'channelJoined'),
    async begin(other) {
      const channel = await client.createChannel();
      await channel.join();
      const joined = other.joined();
      await channel.add(other.identity);
      await joined;
      return channel.sid;
    },
  };
}

async function bareChat({ session }: Person): Promise<Chat.Client> {
  const client = world.connect(await twilioToken(world.server, session));
  await next<string>(client, 'stateChanged', (state) => state === 'initialized');
  return client;
}

async function conversationsApp(making: Promise<Conversations.Client>): Promise<App> {
  const client = await making;
  return {
    identity: client.user.identity,
    screen: startConversationsApp(client),
    joined: () => next(client, 'conversationJoined'),
    async begin(other) {
      const conversation = await client.createConversation();
      await conversation.join();
      const joined = other.joined();
      await conversation.add(other.identity);
      await joined;
      return conversation.sid;
    },
  };
}

/** The one line that is changed, in each application. */
const LINES = {
  'twilio-chat': {
    bare: (person) => chatApp(bareChat(person)),
    wrapped: (person) => chatApp(Promise.resolve(person.client)),
  },
  '@twilio/conversations': {
    bare: (person) => conversationsApp(world.conversations(person)),
    wrapped: (person) =>
      conversationsApp(
        world.conversations(person).then((client) => person.encryption.wrapClient(client)),
      ),
  },
} satisfies Record<string, Record<'bare' | 'wrapped', Line>>;

/** Two people use the application; gives what each of them saw on the way. */
async function chatWith(line: Line, name: string): Promise<unknown[]> {
  const [one, other] = await Promise.all([
    world.person(`alice ${name}`).then(line),
    world.person(`bob ${name}`).then(line),
  ]);
  const sid = await one.begin(other);
  await one.screen.open(sid);
  await other.screen.open(sid);
  return transcript(one.screen, other.screen, sid, name);
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
  await expect.poll(() => alice.messages.length).toBe(2);
  const [, file = ''] = alice.messages.map(plain);
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

describe.each(Object.entries(LINES))('an application of %s', (sdk, { bare, wrapped }) => {
  test('shows with the wrapped client what it shows with the bare one', async () => {
    const seen = await chatWith(bare, `bare ${sdk}`);
    expect(seen).toHaveLength(10);
    expect(await chatWith(wrapped, `wrapped ${sdk}`)).toEqual(seen);
  });

  test('says it all to Twilio with the bare client, and nothing with the wrapped one', () => {
    const said = /hello|knee|wave|oops/;
    expect(storedOf(`alice bare ${sdk}`)).toMatch(said);
    expect(storedOf(`alice wrapped ${sdk}`)).not.toMatch(said);
  });
});

function storedOf(identity: string): string {
  const { inspect } = world.emulator;
  const own = inspect.channels().filter(({ members }) => members.includes(identity));
  return JSON.stringify(own.map(({ sid }) => inspect.messages(sid)));
}
