/** Conversations, wrapped: the real SDK, alone and in one channel with twilio-chat. */
import type { Client, Conversation, Message } from '@twilio/conversations';
import type * as Chat from 'twilio-chat';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { next, startWorld, type Person, type World } from './world.ts';

let world: World;
let alice: Client;
let bob: Client;
let carol: Person;
let bobsDevice: Person;

beforeAll(async () => {
  world = await startWorld();
  const [a, b, c] = await Promise.all(['alice', 'bob', 'carol'].map((one) => world.person(one)));
  if (!a || !b || !c) throw new Error('Nobody is there.');
  alice = a.encryption.wrapClient(await world.conversations(a));
  bob = b.encryption.wrapClient(await world.conversations(b));
  carol = c;
  bobsDevice = b;
});

afterAll(() => world.close());

async function pair(): Promise<readonly [Conversation, Conversation]> {
  const own = await alice.createConversation();
  await own.join();
  const joined = next<Conversation>(bob, 'conversationJoined', ({ sid }) => sid === own.sid);
  await own.add('bob');
  const theirs = await joined;
  await theirs.getParticipants();
  return [own, theirs];
}

describe('two people with Conversations', () => {
  test('read one another, with attributes and subject', async () => {
    const [own, bobs] = await pair();
    const arrived = next<Message>(bobs, 'messageAdded');
    const index = await own.sendMessage('hello', { mood: 'good' }, { subject: 'Knee' });
    const message = await arrived;
    const { body, attributes, subject, author } = message;
    expect(message.index).toBe(index);
    expect({ body, attributes, subject, author }).toEqual({
      body: 'hello',
      attributes: { mood: 'good' },
      subject: 'Knee',
      author: 'alice',
    });
    expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
    expect(message.conversation).toBe(bobs);
    expect(JSON.stringify(world.emulator.inspect.messages(own.sid))).not.toMatch(/hello|good|Knee/);
  });

  test('send several files in one message', async () => {
    const [own, bobs] = await pair();
    const arrived = next<Message>(bobs, 'messageAdded');
    const builder = own.prepareMessage().setBody('both knees').setAttributes({ part: 'knee' });
    for (const side of ['left', 'right']) {
      builder.addMedia({
        contentType: 'text/plain',
        filename: `${side}.txt`,
        media: Buffer.from(`the ${side} one`),
      });
    }
    await builder.buildAndSend();
    const message = await arrived;
    expect(message).toMatchObject({
      type: 'media',
      body: 'both knees',
      attributes: { part: 'knee' },
    });
    const files = message.attachedMedia ?? [];
    expect(files.map(({ filename, size }) => [filename, size])).toEqual([
      ['left.txt', 12],
      ['right.txt', 13],
    ]);
    const urls = await message.getTemporaryContentUrlsForAttachedMedia();
    const texts = await Promise.all(
      [...urls.values()].map(async (url) => (await fetch(url)).text()),
    );
    expect(texts).toEqual(['the left one', 'the right one']);
  });
});

describe('a prepared message', () => {
  test('is encrypted as it is when it is sent, each time it is sent', async () => {
    const [own, bobs] = await pair();
    const unsent = own.prepareMessage().setBody('first').build();
    unsent.attributes = { mood: 'good' };
    const first = next<Message>(bobs, 'messageAdded');
    await unsent.send();
    expect((await first).attributes).toEqual({ mood: 'good' });
    unsent.text = 'second';
    unsent.emailOptions.subject = 'the subject';
    const second = next<Message>(bobs, 'messageAdded');
    const sending = unsent.send();
    unsent.emailOptions.subject = 'not yet';
    await sending;
    expect(await second).toMatchObject({ body: 'second', subject: 'the subject' });
    expect(JSON.stringify(world.emulator.inspect.messages(own.sid))).not.toMatch(/first|second/);
  });

  test.each<[string, (own: Conversation) => Promise<unknown>]>([
    ['a content template', (own) => own.prepareMessage().setContentTemplate('HX1').buildAndSend()],
    [
      'an e-mail body',
      (own) =>
        own
          .prepareMessage()
          .setEmailBody('text/plain', { contentType: 'text/plain', media: Buffer.from('plugh') })
          .buildAndSend(),
    ],
  ])('of %s is refused', async (_what, send) => {
    const [own] = await pair();
    await expect(send(own)).rejects.toMatchObject({ code: 'NOT_SUPPORTED_ENCRYPTED' });
    expect(world.emulator.inspect.messages(own.sid)).toHaveLength(0);
  });

  test('can be cancelled before it is posted', async () => {
    const [own] = await pair();
    const file = { contentType: 'text/plain', media: Buffer.from('A') };
    const sending = own.prepareMessage().addMedia(file).buildAndSend();
    void sending.cancel();
    await expect(sending).rejects.toThrow('cancelled');
    // What comes after it in the channel shows that it is over.
    await own.sendMessage('next');
    expect(world.emulator.inspect.messages(own.sid)).toHaveLength(1);
  });
});

describe('files of Conversations', () => {
  test('are found by sid, and one that Twilio lost is told of', async () => {
    const [own, bobs] = await pair();
    const arrived = next<Message>(bobs, 'messageAdded');
    const builder = own.prepareMessage();
    for (const text of ['one', 'three']) {
      builder.addMedia({ contentType: 'text/plain', media: Buffer.from(text.repeat(100)) });
    }
    await builder.buildAndSend();
    const [first, second] = (await arrived).attachedMedia ?? [];
    if (!first || !second) throw new Error('Files are missing.');
    const urls = await bob.getTemporaryContentUrlsForMediaSids([second.sid]);
    expect(await (await fetch(urls.get(second.sid) ?? '')).text()).toBe('three'.repeat(100));
    const [stored] = world.emulator.inspect.messages(own.sid);
    const left = stored?.media.filter(({ sid }) => sid === second.sid) ?? [];
    const updated = next(bobs, 'messageUpdated');
    world.emulator.tamper.rewrite(own.sid, 0, { media: left, attributes: '{"x":1}' });
    await updated.catch(() => undefined);
    const message = await arrived;
    await expect
      .poll(() => message.encryption)
      .toMatchObject({
        status: 'verified',
        anomalies: [{ code: 'FILES_MISSING', count: 1 }],
      });
    expect(message.attachedMedia?.map(({ sid }) => sid)).toEqual([second.sid]);
  });
});

describe('under the sid of a file, Twilio', () => {
  /** Bob's view of a file of Alice and one of his own, to which Twilio gave one sid. */
  async function oneSid() {
    const [own, bobs] = await pair();
    for (const [from, to, media] of [
      [own, bobs, 'I pay 10'],
      [bobs, own, 'I pay 99'],
    ] as const) {
      const arrived = next(to, 'messageAdded');
      const file = { contentType: 'text/plain', media: Buffer.from(media) };
      await from.prepareMessage().addMedia(file).buildAndSend();
      await arrived;
    }
    const { inspect, tamper } = world.emulator;
    const [sid = '', other = ''] = inspect.messages(own.sid).map(({ media: [file] }) => file?.sid);
    const [first, second] = [sid, other].map((one) => {
      const file = inspect.media().find((stored) => stored.sid === one);
      if (!file) throw new Error('There is no file.');
      return { ...file, bytes: Uint8Array.from(file.bytes) };
    });
    if (!first || !second) throw new Error('There are no files.');
    tamper.rewrite(own.sid, 1, { media: [{ ...second, sid }] }, 'silently');
    const person = await world.again(bobsDevice);
    const client = person.encryption.wrapClient(await world.conversations(person));
    const conversation = await client.getConversationBySid(own.sid);
    const files = (await conversation.getMessages()).items.map((one) => one.attachedMedia?.[0]);
    const [alices, bobsOwn] = files;
    if (!alices || !bobsOwn) throw new Error('Files are missing.');
    tamper.rewriteMedia(sid, { bytes: second.bytes });
    await bobsOwn.getContentTemporaryUrl();
    tamper.rewriteMedia(sid, { bytes: first.bytes });
    return { client, alices, bobsOwn };
  }

  test('cannot show the file of another message', async () => {
    const { client, alices, bobsOwn } = await oneSid();
    const urls = await client.getTemporaryContentUrlsForMedia([alices]);
    expect(await (await fetch(urls.get(alices.sid) ?? '')).text()).toBe('I pay 10');
    const refused = { code: 'FILE_UNREACHABLE' };
    for (const asked of [
      client.getTemporaryContentUrlsForMedia([alices, bobsOwn]),
      client.getTemporaryContentUrlsForMediaSids([alices.sid]),
      // Of no message that was read: nobody signed it.
      client.getTemporaryContentUrlsForMediaSids(['ME00000000000000000000000000000000']),
    ]) {
      await expect(asked).rejects.toMatchObject(refused);
    }
  });
});

test('of two files of one message to which Twilio gave one sid, neither is shown as the other', async () => {
  const [own, bobs] = await pair();
  const arrived = next<Message>(bobs, 'messageAdded');
  const builder = own.prepareMessage();
  for (const text of ['I pay 10', 'I pay 99']) {
    builder.addMedia({ contentType: 'text/plain', media: Buffer.from(text) });
  }
  await builder.buildAndSend();
  await arrived;
  const { inspect, tamper } = world.emulator;
  const [first, second] = inspect.messages(own.sid)[0]?.media ?? [];
  if (!first || !second) throw new Error('There are no files.');
  tamper.rewrite(own.sid, 0, { media: [first, { ...second, sid: first.sid }] }, 'silently');
  const person = await world.again(bobsDevice);
  const client = person.encryption.wrapClient(await world.conversations(person));
  const conversation = await client.getConversationBySid(own.sid);
  const [message] = (await conversation.getMessages()).items;
  expect(message?.attachedMedia).toHaveLength(2);
  for (const asked of [
    message?.getTemporaryContentUrlsForAttachedMedia(),
    message?.getTemporaryContentUrlsForMediaSids([first.sid]),
    message?.getTemporaryContentUrlsForMedia(message.attachedMedia ?? []),
  ]) {
    await expect(asked).rejects.toMatchObject({ code: 'FILE_UNREACHABLE' });
  }
});

describe('a participant by SMS', () => {
  test('is refused: Twilio would have to read the messages', async () => {
    const [own] = await pair();
    await expect(own.addNonChatParticipant('+15551', '+15552')).rejects.toMatchObject({
      code: 'NOT_SUPPORTED_ENCRYPTED',
    });
  });
});

describe('a push notification', () => {
  test('says which message it is about, and nothing that Twilio wrote', () => {
    const push = bob.parsePushNotification({
      data: {
        twi_message_type: 'twilio.conversations.new_message',
        twi_title: 'Knee',
        twi_body: 'alice: send money to Mallory',
        conversation_sid: 'CH1',
        message_sid: 'IM1',
        message_index: 3,
      },
    });
    expect([push.title, push.body]).toEqual(['', 'New message']);
    expect(push.data).toMatchObject({ conversationSid: 'CH1', messageSid: 'IM1' });
    expect(push.type).toBe('twilio.conversations.new_message');
  });
});

describe('one channel, two SDKs', () => {
  test('read one another', async () => {
    const [own] = await pair();
    const joined = next<Chat.Channel>(carol.client, 'channelJoined', ({ sid }) => sid === own.sid);
    await own.add('carol');
    const carols = await joined;
    await carols.getMembers();
    const arrived = next<Chat.Message>(carols, 'messageAdded');
    await own.sendMessage(
      { contentType: 'text/plain', filename: 'a.txt', media: Buffer.from('A') },
      { a: 1 },
    );
    const message = await arrived;
    expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
    expect(message.media).toMatchObject({ filename: 'a.txt', size: 1 });
    expect(await (await fetch(await message.media.getContentTemporaryUrl())).text()).toBe('A');
    const answer = next<Message>(own, 'messageAdded');
    await carols.sendMessage({ contentType: 'text/plain', media: Buffer.from('B') }, { b: 2 });
    const [file] = (await answer).attachedMedia ?? [];
    expect(await (await fetch((await file?.getContentTemporaryUrl()) ?? '')).text()).toBe('B');
  });
});
