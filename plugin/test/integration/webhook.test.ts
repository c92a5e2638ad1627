/**
 * Twilio asks the token server before it stores a message: what an application sends that forgot to encrypt
 * is refused, and nothing that the wrapped clients send is.
 */
import type { Conversation } from '@twilio/conversations';
import type { Channel } from 'twilio-chat';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { twilioToken } from './accounts.ts';
import { startServers, type Servers } from './servers.ts';
import { next, pair, ready, startWorld, type Person, type World } from './world.ts';

const CROWD = Array.from({ length: 16 }, (_, index) => `member ${index}`);

/** What the SDKs reject with when the webhook says no. */
const REFUSED = { status: 403, body: { code: 20403 } };

describe.each(['chat', 'conversations'] as const)('a webhook of %s', (product) => {
  let servers: Servers;
  let world: World;
  let alice: Person;
  let bob: Person;

  beforeAll(async () => {
    servers = await startServers(Date.now, {}, product);
    world = await startWorld(Promise.resolve(servers));
    [alice, bob] = [await world.person('alice'), await world.person('bob')];
  });

  afterAll(() => world.close());

  test('passes what twilio-chat sends, wrapped: text, attributes, a file, edits', async () => {
    const [alices, bobs] = await pair(alice, bob);
    await alices.sendMessage('hello', { mood: 'good' });
    await alices.sendMessage({ contentType: 'text/plain', media: Buffer.from('left') });
    const [message] = (await alices.getMessages()).items;
    await message?.updateBody('hello again');
    await message?.updateAttributes({ mood: 'better' });
    // Read anew, from what is stored.
    const updated = (await bobs.getMessages()).items;
    expect(updated).toMatchObject([
      { body: 'hello again', attributes: { mood: 'better' } },
      { media: { contentType: 'text/plain' } },
    ]);
    expect(updated.map(({ encryption }) => encryption.status)).toEqual(['verified', 'verified']);
  });

  test('passes the key messages of a large channel, and what follows them', async () => {
    const [alices, bobs] = await pair(alice, bob);
    await world.crowd(CROWD.map((name) => `${name} of ${product}`));
    for (const name of CROWD) await alices.add(`${name} of ${product}`);
    const arrived = next<{ body: string | null }>(bobs, 'messageAdded');
    await alices.sendMessage('to all');
    expect((await arrived).body).toBe('to all');
    // The key message came first.
    expect(world.emulator.inspect.messages(alices.sid)).toHaveLength(2);
  });

  test('passes what Conversations sends, wrapped', async () => {
    const client = alice.encryption.wrapClient(await world.conversations(alice));
    const own = await client.createConversation();
    await own.join();
    await own.sendMessage('hello', { mood: 'good' }, { subject: 'Knee' });
    await own
      .prepareMessage()
      .setBody('both knees')
      .addMedia({ contentType: 'text/plain', filename: 'left.txt', media: Buffer.from('left') })
      .buildAndSend();
    const [first, second] = (await own.getMessages()).items;
    const updated = next(own, 'messageUpdated');
    await first?.updateBody('hello again');
    await updated;
    expect([first?.body, second?.body]).toEqual(['hello again', 'both knees']);
  });

  test('refuses what is not encrypted, of either SDK: nothing is stored, and nobody sees it', async () => {
    const [alices, bobs] = await pair(alice, bob);
    const arrived = next<{ body: string | null }>(bobs, 'messageAdded');
    for (const bare of await bareChannels(alices.sid)) {
      await expect(bare.sendMessage('plain')).rejects.toMatchObject(REFUSED);
      await expect(bare.sendMessage('', { note: 'plain' })).rejects.toMatchObject(REFUSED);
      const file = { contentType: 'text/plain', media: Buffer.from('plain') };
      await expect(bare.sendMessage(file)).rejects.toMatchObject(REFUSED);
    }
    await alices.sendMessage('encrypted');
    expect((await arrived).body).toBe('encrypted');
    expect(world.emulator.inspect.messages(alices.sid)).toHaveLength(1);
  });

  test('refuses an edit that puts plaintext in the place of an envelope', async () => {
    const [alices, bobs] = await pair(alice, bob);
    await alices.sendMessage('encrypted');
    for (const bare of await bareChannels(alices.sid)) {
      const [message] = (await bare.getMessages()).items;
      await expect(message?.updateBody('plain')).rejects.toMatchObject(REFUSED);
    }
    expect((await bobs.getMessages()).items).toMatchObject([{ body: 'encrypted' }]);
  });

  test('that does not answer is a yes to Twilio, and readers are not shown plaintext as if it were safe', async () => {
    const [alices, bobs] = await pair(alice, bob);
    const [bare] = await bareChannels(alices.sid);
    const arrived = next<{ readonly encryption: object }>(bobs, 'messageAdded');
    await servers.closeTokenServer();
    await bare?.sendMessage('plain');
    expect((await arrived).encryption).toMatchObject({ status: 'rejected', code: 'PLAINTEXT' });
  });

  /** The channel as clients have it that were never wrapped. */
  async function bareChannels(sid: string): Promise<readonly (Channel | Conversation)[]> {
    const chat = world.connect(await twilioToken(world.server, alice.session));
    await ready(chat);
    const conversations = await world.conversations(alice);
    return [await chat.getChannelBySid(sid), await conversations.getConversationBySid(sid)];
  }
});
