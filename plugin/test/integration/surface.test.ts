/**
 * Every public member of both SDKs, through the wrapper: what a method gives, and what listeners are told,
 * is wrapped too, all the way down. No object of the SDK, which would show and send ciphertext, escapes.
 */
import type * as Conversations from '@twilio/conversations';
import type * as Chat from 'twilio-chat';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isFacade, type Rule } from '../../src/twilio/core/facade.ts';
import { EMITTER_RULES } from '../../src/twilio/core/replay-emitter.ts';
import * as chatRules from '../../src/twilio/chat/rules.ts';
import * as conversationsRules from '../../src/twilio/conversations/rules.ts';
import { twilioToken } from './accounts.ts';
import { chatDevice, conversationsDevice, meet, pages, tell, type Device } from './rooms.ts';
import { next, startWorld, type Person, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
  await world.crowd(['carol', 'dave', 'erin']);
});

afterAll(() => world.close());

/** The classes whose objects must not be seen as they are. */
const CLASSES = new Set([
  ...['Client', 'Channel', 'Conversation', 'Message', 'Member', 'Participant', 'User', 'Media'],
  ...['ChannelDescriptor', 'UserDescriptor', 'PushNotification', 'MessageBuilder'],
]);

/** What is found bare in a value, and how one gets there. */
function bare(value: unknown, path: string, seen = new Set<unknown>()): string[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  const { constructor } = value;
  if (typeof constructor === 'function' && CLASSES.has(constructor.name)) {
    return isFacade(value) ? [] : [path];
  }
  const inside: [string, unknown][] =
    value instanceof Map
      ? [...value].map(([name, one]) => [String(name), one])
      : Object.entries(value);
  return inside.flatMap(([name, one]) => bare(one, `${path}.${name}`, seen));
}

type Rules = Readonly<Record<string, Rule>>;
/** What is called, where it is not the member itself without arguments. */
type Calls = Readonly<Record<string, () => unknown>>;

/** Uses every member that a table lets through; gives what came out bare, and what failed. */
async function useAll(what: string, object: object, rules: Rules, calls: Calls): Promise<string[]> {
  const wrong: string[] = [];
  if (!isFacade(object)) return [`${what} is bare`];
  for (const [name, rule] of Object.entries(rules)) {
    const path = `${what}.${name}`;
    if (Object.hasOwn(EMITTER_RULES, name)) continue;
    if (rule === 'hide') {
      if (Reflect.get(object, name) !== undefined) wrong.push(`${path} is not hidden`);
      continue;
    }
    try {
      const value: unknown = await used(object, name, calls[name]);
      if (rule === 'refuse') wrong.push(`${path} is not refused`);
      wrong.push(...bare(value, path));
    } catch (error) {
      const isRefused = rule === 'refuse' || rule === 'forbid';
      if (!isRefused) wrong.push(`${path}: ${String(error)}`);
    }
  }
  return wrong;
}

function used(object: object, name: string, call: (() => unknown) | undefined): unknown {
  if (call) return call();
  const member: unknown = Reflect.get(object, name);
  return typeof member === 'function' ? Reflect.apply(member, object, []) : member;
}

/** By name: these are deprecated, and there nevertheless. */
function call(object: object, name: string, ...args: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(object, name);
  if (typeof method !== 'function') throw new TypeError(`There is no ${name}.`);
  return Reflect.apply(method, object, args);
}

interface Emitting {
  on(name: string, listener: (...event: unknown[]) => void): unknown;
}

/** Listens to all of these; what came bare is remembered. */
function listen(emitter: Emitting, what: string, names: readonly string[], told: Told): void {
  for (const name of names) {
    emitter.on(name, (...event) => {
      told.names.add(`${what} ${name}`);
      told.wrong.push(...bare(event, `${what} on ${name}`));
    });
  }
}

interface Told {
  readonly names: Set<string>;
  readonly wrong: string[];
}

const FILE = { contentType: 'text/plain', filename: 'a.txt', media: Buffer.from('a file') };
const PUSH = {
  data: { twi_message_type: 'twilio.channel.new_message', channel_sid: 'CH1', message_sid: 'IM1' },
};

/** Two people who allow names that Twilio sees. */
function two(sdk: string): Promise<[Person, Person]> {
  const options = { metadata: 'clear' } as const;
  return Promise.all([
    world.person(`alice of ${sdk}`, options),
    world.person(`bob of ${sdk}`, options),
  ]);
}

/** Of what is being opened when it is deleted or left, the SDKs raise an unhandled rejection. */
async function opened(sid: string, identity: string): Promise<void> {
  for (const part of ['channel', 'messages', 'roster']) {
    await expect.poll(() => world.emulator.inspect.followers(`${sid}.${part}`)).toContain(identity);
  }
}

describe('with twilio-chat', () => {
  let alice: Person;
  let bob: Person;

  beforeAll(async () => {
    [alice, bob] = await two('chat');
  });

  const EVENTS = [
    ...['memberJoined', 'memberLeft', 'memberUpdated', 'messageAdded', 'messageUpdated'],
    ...['messageRemoved', 'typingStarted', 'typingEnded', 'updated', 'removed', 'memberInvited'],
  ];
  const CLIENT_EVENTS = [
    ...['channelAdded', 'channelInvited', 'channelJoined', 'channelLeft', 'channelRemoved'],
    ...['channelUpdated', 'userSubscribed', 'userUnsubscribed', 'userUpdated', 'pushNotification'],
    ...EVENTS.filter((name) => name !== 'updated' && name !== 'removed'),
  ];

  test('nothing bare comes out of any member, or is told to any listener', async () => {
    const { client } = alice;
    const told: Told = { names: new Set(), wrong: [] };
    listen(client, 'client', CLIENT_EVENTS, told);
    listen(bob.client, 'bob', CLIENT_EVENTS, told);
    const joined = next<Chat.Channel>(bob.client, 'channelJoined');
    const channel = await client.createChannel({ uniqueName: 'room', friendlyName: 'Room' });
    await channel.join();
    listen(channel, 'channel', EVENTS, told);
    await channel.getMembers();
    await channel.add(bob.identity);
    const bobs = await joined;
    await bobs.getMembers();
    await channel.sendMessage('one', { a: 1 });
    const arrived = next<Chat.Message>(channel, 'messageAdded', ({ index }) => index === 1);
    await channel.sendMessage(FILE);
    const file = await arrived;
    const [message] = (await channel.getMessages()).items;
    if (!message) throw new Error('There is no message.');
    listen(message, 'message', ['updated'], told);
    const member = await channel.getMemberByIdentity(bob.identity);
    const own = await channel.getMemberByIdentity(alice.identity);
    for (const [one, what] of [
      [member, 'member'],
      [own, 'own member'],
    ] as const) {
      listen(one, what, ['updated', 'typingStarted', 'typingEnded'], told);
    }
    const user = await client.getUser(bob.identity);
    listen(client.user, 'user', ['updated'], told);
    const fresh = async (): Promise<Chat.Channel> => {
      const one = await client.createChannel();
      await one.join();
      await opened(one.sid, alice.identity);
      return one;
    };
    const invited = async (): Promise<Chat.Channel> => {
      const invitation = next<Chat.Channel>(bob.client, 'channelInvited');
      await (await fresh()).invite(bob.identity);
      const one = await invitation;
      await one.getAttributes();
      return one;
    };
    const token = await twilioToken(world.server, alice.session);
    const descriptor = (await client.getPublicChannelDescriptors()).items[0];
    if (!descriptor) throw new Error('There is no public channel.');
    const wrong = [
      ...(await useAll('client', client, chatRules.CLIENT_RULES, {
        shutdown: () => undefined,
        updateToken: () => client.updateToken(token),
        getChannelBySid: () => client.getChannelBySid(channel.sid),
        getChannelByUniqueName: () => client.getChannelByUniqueName('room'),
        getLocalChannels: () =>
          client.getLocalChannels({ criteria: 'friendlyName', order: 'ascending' }),
        setPushRegistrationId: () => client.setPushRegistrationId('fcm', 'device'),
        unsetPushRegistrationId: () => call(client, 'unsetPushRegistrationId', 'fcm'),
        handlePushNotification: () => client.handlePushNotification(PUSH),
        parsePushNotification: () => client.parsePushNotification(PUSH),
        getUser: () => client.getUser(bob.identity),
        getUserDescriptor: () => client.getUserDescriptor(bob.identity),
      })),
      ...(await useAll('channel', channel, chatRules.CHANNEL_RULES, {
        add: () => channel.add('carol'),
        advanceLastConsumedMessageIndex: () => channel.advanceLastConsumedMessageIndex(0),
        decline: async () => (await invited()).decline(),
        delete: async () => (await fresh()).delete(),
        getMemberBySid: () => channel.getMemberBySid(member.sid),
        getMemberByIdentity: () => channel.getMemberByIdentity(bob.identity),
        invite: () => channel.invite('dave'),
        join: async () => (await invited()).join(),
        leave: async () => (await fresh()).leave(),
        removeMember: () => channel.removeMember('carol'),
        sendMessage: () => channel.sendMessage('two'),
        setUserNotificationLevel: () => channel.setUserNotificationLevel('muted'),
        updateAttributes: () => channel.updateAttributes({ a: 1 }),
        updateFriendlyName: () => channel.updateFriendlyName('Another'),
        updateLastConsumedMessageIndex: () => channel.updateLastConsumedMessageIndex(0),
        updateUniqueName: () => channel.updateUniqueName('another'),
      })),
      ...(await useAll('message', message, chatRules.MESSAGE_RULES, {
        remove: async () => await (await channel.getMessages()).items.at(-1)?.remove(),
        updateBody: () => message.updateBody('edited'),
        updateAttributes: () => message.updateAttributes({ a: 2 }),
      })),
      ...(await useAll('media', file.media, chatRules.MEDIA_RULES, {})),
      ...(await useAll('member', own, chatRules.MEMBER_RULES, {
        remove: async () => {
          await channel.add('erin');
          await (await channel.getMemberByIdentity('erin')).remove();
        },
        updateAttributes: () => own.updateAttributes({ a: 1 }),
      })),
      ...(await useAll('user', client.user, chatRules.USER_RULES, {
        unsubscribe: () => user.unsubscribe(),
        updateAttributes: () => client.user.updateAttributes({ a: 1 }),
        updateFriendlyName: () => client.user.updateFriendlyName('Alice'),
      })),
      ...(await useAll(
        'userDescriptor',
        await client.getUserDescriptor(bob.identity),
        chatRules.USER_DESCRIPTOR_RULES,
        {},
      )),
      ...(await useAll('channelDescriptor', descriptor, chatRules.CHANNEL_DESCRIPTOR_RULES, {})),
      ...(await useAll('push', client.parsePushNotification(PUSH), chatRules.PUSH_RULES, {})),
    ];
    expect(wrong).toEqual([]);
    await bobs.typing();
    await expect
      .poll(() => [...told.names])
      .toEqual(
        expect.arrayContaining([
          ...['client channelAdded', 'client channelJoined', 'client channelLeft'],
          ...['client channelUpdated', 'client channelRemoved', 'bob channelInvited'],
          ...['client memberJoined', 'client memberLeft', 'client memberUpdated'],
          ...['client messageAdded', 'client messageUpdated', 'client messageRemoved'],
          ...['client typingStarted', 'client userUpdated', 'client userUnsubscribed'],
          ...['client pushNotification', 'channel updated', 'channel memberJoined'],
          ...['channel memberLeft', 'channel memberUpdated', 'channel messageAdded'],
          ...['channel messageUpdated', 'channel messageRemoved', 'channel typingStarted'],
          ...['message updated', 'own member updated', 'member typingStarted', 'user updated'],
        ]),
      );
    expect(told.wrong).toEqual([]);
  });

  test('a client that is sent away to connect anew (308) goes on', async () => {
    const [one, other] = [
      chatDevice(alice.identity, alice.client),
      chatDevice(bob.identity, bob.client),
    ];
    await goesOn(one, other);
  });
});

describe('with Conversations', () => {
  const EVENTS = [
    ...['participantJoined', 'participantLeft', 'participantUpdated', 'messageAdded'],
    ...['messageUpdated', 'messageRemoved', 'typingStarted', 'typingEnded', 'updated', 'removed'],
  ];
  const CLIENT_EVENTS = [
    ...['conversationAdded', 'conversationJoined', 'conversationLeft', 'conversationRemoved'],
    ...['conversationUpdated', 'userSubscribed', 'userUnsubscribed', 'userUpdated'],
    ...['pushNotification', ...EVENTS.filter((name) => name !== 'updated' && name !== 'removed')],
  ];
  let alice: Person;
  let bob: Person;
  let client: Conversations.Client;
  let bobsClient: Conversations.Client;

  beforeAll(async () => {
    [alice, bob] = await two('Conversations');
    client = alice.encryption.wrapClient(await world.conversations(alice));
    bobsClient = bob.encryption.wrapClient(await world.conversations(bob));
  });

  test('nothing bare comes out of any member, or is told to any listener', async () => {
    const told: Told = { names: new Set(), wrong: [] };
    listen(client, 'client', CLIENT_EVENTS, told);
    const joined = next<Conversations.Conversation>(bobsClient, 'conversationJoined');
    const conversation = await client.createConversation({ uniqueName: 'talk' });
    await conversation.join();
    listen(conversation, 'conversation', EVENTS, told);
    await conversation.getParticipants();
    await conversation.add(bob.identity);
    const bobs = await joined;
    await bobs.getParticipants();
    await conversation.sendMessage('one', { a: 1 });
    const arrived = next<Conversations.Message>(
      conversation,
      'messageAdded',
      ({ index }) => index === 1,
    );
    await conversation.prepareMessage().setBody('two').addMedia(FILE).addMedia(FILE).buildAndSend();
    const file = await arrived;
    const [media] = file.attachedMedia ?? [];
    const participant = await conversation.getParticipantByIdentity(bob.identity);
    const own = await conversation.getParticipantByIdentity(alice.identity);
    if (!media || !participant || !own) throw new Error('Something is missing.');
    listen(file, 'message', ['updated'], told);
    listen(own, 'own participant', ['updated'], told);
    listen(participant, 'participant', ['typingStarted', 'typingEnded'], told);
    listen(client.user, 'user', ['updated'], told);
    const user = await client.getUser(bob.identity);
    const fresh = async (): Promise<Conversations.Conversation> => {
      const one = await client.createConversation();
      await one.join();
      await opened(one.sid, alice.identity);
      return one;
    };
    const token = await twilioToken(world.server, alice.session);
    const wrong = [
      ...(await useAll('client', client, conversationsRules.CLIENT_RULES, {
        shutdown: () => undefined,
        updateToken: () => client.updateToken(token),
        getConversationBySid: () => client.getConversationBySid(conversation.sid),
        peekConversationBySid: () => client.peekConversationBySid(conversation.sid),
        getConversationByUniqueName: () => client.getConversationByUniqueName('talk'),
        setPushRegistrationId: () => client.setPushRegistrationId('fcm', 'device'),
        unsetPushRegistrationId: () => call(client, 'unsetPushRegistrationId', 'fcm'),
        removePushRegistrations: () => client.removePushRegistrations('fcm', 'device'),
        handlePushNotification: () => client.handlePushNotification(PUSH),
        parsePushNotification: () => client.parsePushNotification(PUSH),
        getUser: () => client.getUser(bob.identity),
        getTemporaryContentUrlsForMedia: () => client.getTemporaryContentUrlsForMedia([media]),
        getTemporaryContentUrlsForMediaSids: () =>
          client.getTemporaryContentUrlsForMediaSids([media.sid]),
      })),
      ...(await useAll('conversation', conversation, conversationsRules.CONVERSATION_RULES, {
        add: () => conversation.add('carol', { a: 1 }),
        advanceLastReadMessageIndex: () => conversation.advanceLastReadMessageIndex(0),
        addNonChatParticipant: () => conversation.addNonChatParticipant('+1', '+2'),
        delete: async () => (await fresh()).delete(),
        getParticipantBySid: () => conversation.getParticipantBySid(participant.sid),
        getParticipantByIdentity: () => conversation.getParticipantByIdentity(bob.identity),
        join: async () => (await client.createConversation()).join(),
        leave: async () => (await fresh()).leave(),
        removeParticipant: () => conversation.removeParticipant('carol'),
        sendMessage: () => conversation.sendMessage('three', {}, { subject: 'x' }),
        setUserNotificationLevel: () => conversation.setUserNotificationLevel('muted'),
        updateAttributes: () => conversation.updateAttributes({ a: 1 }),
        updateFriendlyName: () => conversation.updateFriendlyName('Another'),
        updateLastReadMessageIndex: () => conversation.updateLastReadMessageIndex(0),
        updateUniqueName: () => conversation.updateUniqueName('other talk'),
      })),
      ...(await useAll('message', file, conversationsRules.MESSAGE_RULES, {
        getMediaByCategory: () => file.getMediaByCategories(['media']),
        getMediaByCategories: () => file.getMediaByCategories(['media']),
        attachTemporaryUrlsFor: () => call(file, 'attachTemporaryUrlsFor', [media]),
        getTemporaryContentUrlsForMedia: () => file.getTemporaryContentUrlsForMedia([media]),
        getTemporaryContentUrlsForMediaSids: () =>
          file.getTemporaryContentUrlsForMediaSids([media.sid]),
        remove: async () => (await conversation.getMessages()).items.at(-1)?.remove(),
        updateBody: () => file.updateBody('edited'),
        updateAttributes: () => file.updateAttributes({ a: 2 }),
      })),
      ...(await useAll('media', media, conversationsRules.MEDIA_RULES, {})),
      ...(await useAll('participant', own, conversationsRules.PARTICIPANT_RULES, {
        remove: async () => {
          await conversation.add('erin');
          await (await conversation.getParticipantByIdentity('erin'))?.remove();
        },
        updateAttributes: () => own.updateAttributes({ a: 1 }),
      })),
      ...(await useAll('user', client.user, conversationsRules.USER_RULES, {
        unsubscribe: () => user.unsubscribe(),
        updateAttributes: () => client.user.updateAttributes({ a: 1 }),
        updateFriendlyName: () => client.user.updateFriendlyName('Alice'),
      })),
      ...(await useAll(
        'push',
        client.parsePushNotification(PUSH),
        conversationsRules.PUSH_RULES,
        {},
      )),
      ...(await useAll('builder', conversation.prepareMessage(), conversationsRules.BUILDER_RULES, {
        addMedia: () => conversation.prepareMessage().addMedia(FILE),
        setBody: () => conversation.prepareMessage().setBody('x'),
        setSubject: () => conversation.prepareMessage().setSubject('x'),
        setAttributes: () => conversation.prepareMessage().setAttributes({ a: 1 }),
        setEmailBody: () => conversation.prepareMessage().setEmailBody('text/plain', FILE),
        setEmailHistory: () => conversation.prepareMessage().setEmailHistory('text/plain', FILE),
        setContentTemplate: () => conversation.prepareMessage().setContentTemplate('HX1'),
      })),
    ];
    expect(wrong).toEqual([]);
    await bobs.typing();
    await expect
      .poll(() => [...told.names])
      .toEqual(
        expect.arrayContaining([
          ...['client conversationAdded', 'client conversationJoined', 'client conversationLeft'],
          ...['client conversationUpdated', 'client conversationRemoved'],
          ...['client participantJoined', 'client participantLeft', 'client participantUpdated'],
          ...['client messageAdded', 'client messageUpdated', 'client messageRemoved'],
          ...['client typingStarted', 'client userUpdated', 'client userUnsubscribed'],
          ...['client pushNotification', 'conversation updated', 'conversation participantJoined'],
          ...['conversation participantLeft', 'conversation messageAdded', 'message updated'],
          ...['own participant updated', 'participant typingStarted', 'user updated'],
        ]),
      );
    expect(told.wrong).toEqual([]);
  });

  test('a client that is sent away to connect anew (308) goes on', async () => {
    await goesOn(
      conversationsDevice(alice.identity, client),
      conversationsDevice(bob.identity, bobsClient),
    );
  });
});

/** Twilio sends somebody's clients away; messages go on in both directions, once each. */
async function goesOn(one: Device, other: Device): Promise<void> {
  const [own, theirs] = await meet(one, other);
  await tell(own, theirs, 'before');
  const again = new Promise((resolve) => {
    const client: Emitting = one.client;
    client.on('connectionStateChanged', (state) => {
      if (state === 'connected') resolve(null);
    });
  });
  world.emulator.tamper.offload(one.identity);
  await again;
  expect((await tell(own, theirs, 'after')).encryption).toMatchObject({
    status: 'verified',
    anomalies: [],
  });
  await tell(theirs, own, 'an answer');
  expect((await pages(own, 10)).map(({ body }) => body)).toEqual(['before', 'after', 'an answer']);
}
