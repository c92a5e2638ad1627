/** Nothing goes out in the clear by accident: every path of the SDK encrypts or refuses. */
import type { Channel, Client, Member, User } from 'twilio-chat';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliver, next, pair, startWorld, type Person, type World } from './world.ts';

const SECRET = 'quux-never-in-the-clear';
let world: World;
let alice: Person;
let bob: Person;
let own: Channel;
let bobs: Channel;
let member: Member;
let user: User;
let client: Client;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
  [own, bobs] = await pair(alice, bob);
  await deliver(bobs, own, 'to have a message');
  member = await own.getMemberByIdentity('alice');
  client = alice.client;
  user = client.user;
});

afterAll(() => world.close());

const CALLS: Record<string, () => Promise<unknown>> = {
  'channel.updateAttributes': () => own.updateAttributes({ SECRET }),
  'channel.updateFriendlyName': () => own.updateFriendlyName(SECRET),
  'channel.updateUniqueName': () => own.updateUniqueName(SECRET),
  'member.updateAttributes': () => member.updateAttributes({ SECRET }),
  'user.updateAttributes': () => user.updateAttributes({ SECRET }),
  'user.updateFriendlyName': () => user.updateFriendlyName(SECRET),
  'client.createChannel with a name': () => client.createChannel({ friendlyName: SECRET }),
  'client.createChannel with a unique name': () => client.createChannel({ uniqueName: SECRET }),
  'client.createChannel with attributes': () => client.createChannel({ attributes: { SECRET } }),
};

describe('what carries content and is not encrypted', () => {
  test('rejects likewise in Conversations, and never reaches Twilio', async () => {
    const raw = await world.conversations(alice);
    const conversations = alice.encryption.wrapClient(raw);
    const conversation = await conversations.createConversation();
    await conversation.join();
    const [participant] = await conversation.getParticipants();
    const me = conversations.user;
    const calls: Record<string, () => unknown> = {
      createFriendly: () => conversations.createConversation({ friendlyName: SECRET }),
      createUnique: () => conversations.createConversation({ uniqueName: SECRET }),
      createAttributes: () => conversations.createConversation({ attributes: { SECRET } }),
      attributes: () => conversation.updateAttributes({ SECRET }),
      friendlyName: () => conversation.updateFriendlyName(SECRET),
      uniqueName: () => conversation.updateUniqueName(SECRET),
      add: () => conversation.add('bob', { SECRET }),
      byPhone: () => conversation.addNonChatParticipant(SECRET, SECRET),
      participant: () => participant?.updateAttributes({ SECRET }),
      userAttributes: () => me.updateAttributes({ SECRET }),
      userName: () => me.updateFriendlyName(SECRET),
      template: () =>
        conversation.prepareMessage().setContentTemplate(SECRET).setBody(SECRET).buildAndSend(),
      email: () =>
        conversation
          .prepareMessage()
          .setEmailBody('text/plain', { contentType: 'text/plain', media: SECRET })
          .buildAndSend(),
    };
    for (const [name, call] of Object.entries(calls)) {
      await expect(call(), name).rejects.toMatchObject({ code: 'NOT_SUPPORTED_ENCRYPTED' });
    }
    const { inspect } = world.emulator;
    expect(inspect.dump() + JSON.stringify(inspect.received())).not.toContain(SECRET);
  });

  test.each(Object.keys(CALLS))('%s rejects with NOT_SUPPORTED_ENCRYPTED', async (name) => {
    const before = world.emulator.inspect.received().length;
    await expect(CALLS[name]?.()).rejects.toMatchObject({ code: 'NOT_SUPPORTED_ENCRYPTED' });
    const frames = world.emulator.inspect.received().slice(before);
    expect(JSON.stringify(frames)).not.toContain(SECRET);
  });

  test('never reached Twilio', () => {
    expect(world.emulator.inspect.dump()).not.toContain(SECRET);
  });
});

describe("metadata: 'clear'", () => {
  test('lets names and attributes of channels, members and users through, and only those', async () => {
    const carol = await world.person('carol', { metadata: 'clear' });
    const channel = await carol.client.createChannel({ friendlyName: 'Ward 7' });
    await channel.join();
    expect(await channel.updateAttributes({ color: 'red' })).toBe(channel);
    const renamed = next<{ updateReasons: string[] }>(channel, 'updated', ({ updateReasons }) =>
      updateReasons.includes('friendlyName'),
    );
    expect(await channel.updateFriendlyName('Ward 8')).toBe(channel);
    await renamed;
    expect(channel.friendlyName).toBe('Ward 8');
    const sent = await deliver(channel, channel, 'hello');
    await sent.updateBody(SECRET);
  });
});

describe('what is no message', () => {
  // As plain JavaScript may call it.
  const sendAnything = (message: unknown): Promise<unknown> => own.sendMessage(message as string);

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a number', 5],
    ['an object that is no file', {}],
    ['a file without a type', { contentType: '', media: 'x' }],
    ['a file that is a number', { contentType: 'text/plain', media: 7 }],
  ])('is refused as INVALID_ARGUMENT: %s', async (_what, message) => {
    await expect(sendAnything(message)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('is refused as an edit, and takes nothing away', async () => {
    const theirs = await deliver(own, bobs, 'stays', { a: 1 });
    const message = (await own.getMessages(1)).items[0];
    if (!message) throw new Error('There is no message.');
    const nothing: unknown = undefined;
    for (const edit of [message.updateBody(nothing as string), message.updateAttributes(nothing)]) {
      await expect(edit).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect([theirs.body, theirs.attributes]).toEqual(['stays', { a: 1 }]);
  });
});

describe('a wrapped object', () => {
  test('can be written as text, and takes what an application hangs on it', () => {
    const text: unknown = own;
    expect(String(text)).toBe('[object Object]');
    Reflect.set(own, 'unread', 3);
    expect(Reflect.get(own, 'unread')).toBe(3);
  });

  test('does not let its members be replaced', () => {
    expect(Reflect.set(own, 'sendMessage', () => Promise.resolve(0))).toBe(false);
    expect(Reflect.set(own, 'sid', 'CH1')).toBe(false);
  });

  test('refuses a listener that is none at once', () => {
    const nothing: unknown = undefined;
    expect(() => own.on('messageAdded', nothing as () => void)).toThrow('function');
  });
});
