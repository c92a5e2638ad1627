import type TwilioConversations from '@twilio/conversations';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { chatSdk } from './support/chat-sdk.ts';
import { conversationsSdk } from './support/conversations-sdk.ts';
import { openPage } from './support/page.ts';
import { createRoom } from './support/rooms.ts';
import { collect, next, type Room, type Sdk } from './support/sdk.ts';
import { createWorld, settled } from './support/world.ts';

declare global {
  var conversations: TwilioConversations.Client;
  var conversation: TwilioConversations.Conversation;
  var conversationsHeard: (string | null)[];
}

const BUILDS = ['twilio-conversations.js', 'twilio-conversations.min.js'];

/** Bob is in Chromium, in a room of Alice's in Node. */
async function createScene(build: string, sdk: Sdk) {
  const { emulator, device, token } = await createWorld({ record: 1000 });
  const alice = await device(sdk, 'alice');
  const [ours] = await createRoom(emulator, alice, []);
  const page = await openPage(`@twilio/conversations/builds/${build}`);
  await page.evaluate(
    async ([jwt, options]) => {
      globalThis.conversations = new Twilio.Conversations.Client(jwt, options);
      globalThis.conversationsHeard = [];
      conversations.on('messageAdded', ({ body }) => conversationsHeard.push(body));
      conversations.on('conversationJoined', (one) => {
        globalThis.conversation = one;
      });
      await new Promise<void>((resolve) => conversations.once('initialized', resolve));
    },
    [token('bob'), emulator.clientOptions] as const,
  );
  return { emulator, ours, page };
}

async function admitPage(ours: Room, page: Page): Promise<void> {
  const joined = next(ours, 'memberJoined');
  await ours.raw.add('bob');
  await joined;
  await page.waitForFunction(() => 'conversation' in globalThis);
  await page.evaluate(() => conversation.getParticipants());
}

test.each(BUILDS)('%s works in Chromium', { timeout: 60_000 }, async (build) => {
  const { emulator, ours, page } = await createScene(build, chatSdk);
  for (let i = 0; i < 75; i++) await ours.raw.sendMessage(`m${i}`);
  emulator.tamper.remove('u', 10);
  emulator.tamper.remove('u', 44);
  await admitPage(ours, page);
  await settled(emulator, 'bob');

  const indexes = await page.evaluate(async () => {
    const found: number[] = [];
    for (let one = await conversation.getMessages(30); ; one = await one.prevPage()) {
      found.unshift(...one.items.map(({ index }) => index));
      if (!one.hasPrevPage) return found;
    }
  });
  const left = Array.from({ length: 75 }, (_, i) => i).filter((i) => i !== 10 && i !== 44);
  expect(indexes).toEqual(left);

  const fromBrowser = next(ours, 'messageAdded', ({ author }) => author === 'bob');
  expect(await page.evaluate(() => conversation.sendMessage('from Chromium', { k: 1 }))).toBe(75);
  expect(await fromBrowser).toMatchObject({ body: 'from Chromium', attributes: { k: 1 } });
  await ours.raw.sendMessage('to Chromium');
  await expect
    .poll(() => page.evaluate(() => conversationsHeard))
    .toEqual(['from Chromium', 'to Chromium']);
  const unread = await page.evaluate(async () => {
    await conversation.advanceLastReadMessageIndex(75);
    return conversation.getUnreadMessagesCount();
  });
  expect(unread).toBe(1);
  const lost = expect.poll(() => page.evaluate(() => conversations.connectionState));
  emulator.tamper.offload('bob');
  await lost.not.toBe('connected');
  await expect
    .poll(() => page.evaluate(() => conversations.connectionState), { timeout: 10_000 })
    .toBe('connected');
  await ours.raw.sendMessage('again');
  await expect.poll(() => page.evaluate(() => conversationsHeard.at(-1))).toBe('again');
});

test('files go from and to Chromium, several at once', { timeout: 60_000 }, async () => {
  const { emulator, ours, page } = await createScene('twilio-conversations.js', conversationsSdk);
  await admitPage(ours, page);
  await settled(emulator, 'bob');
  const heard = collect(ours, 'messageAdded', 2);
  await page.evaluate(async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const form = new FormData();
    form.append('file', new File([bytes], 'a"é.png', { type: 'image/png' }));
    const blob = { contentType: 'image/png', filename: 'b.png', media: new Blob([bytes]) };
    const text = { contentType: 'text/plain', filename: 'c.txt', media: 'héllo' };
    const builder = conversation.prepareMessage().setBody('text').setAttributes({ k: 1 });
    await builder.addMedia(form).addMedia(blob).addMedia(text).buildAndSend();
    await conversation.sendMessage(form, { k: 2 });
  });
  const [several, one] = await heard;
  expect([several?.body, several?.attributes]).toEqual(['text', { k: 1 }]);
  expect([one?.body, one?.attributes]).toEqual([null, { k: 2 }]);
  const stored = emulator.inspect
    .messages('u')
    .map(({ media }) =>
      media.map(({ filename, contentType, size }) => [filename, contentType, size]),
    );
  expect(stored).toEqual([
    [
      ['a"é.png', 'image/png', 256],
      ['b.png', 'image/png', 256],
      ['c.txt', 'text/plain', 6],
    ],
    [['a"é.png', 'image/png', 256]],
  ]);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const files = emulator.inspect.media().map((media) => Buffer.from(media.bytes));
  expect(files).toEqual([bytes, bytes, Buffer.from('héllo'), bytes]);

  const texts = await page.evaluate(async () => {
    const { items } = await conversation.getMessages();
    const media = items[0]?.attachedMedia ?? [];
    const urls = await conversations.getTemporaryContentUrlsForMedia(media);
    const last = await fetch(urls.get(media[2]?.sid ?? '') ?? '');
    const url = await media[2]?.getContentTemporaryUrl();
    const again = await fetch(url ?? '');
    return [await last.text(), await again.text(), again.headers.get('Content-Type')];
  });
  expect(texts).toEqual(['héllo', 'héllo', 'text/plain']);
});

test('the content of a template is read in Chromium', { timeout: 60_000 }, async () => {
  const { emulator, ours, page } = await createScene('twilio-conversations.js', chatSdk);
  await admitPage(ours, page);
  await settled(emulator, 'bob');
  const template = { friendlyName: 'f', variables: { 1: 'you' }, body: 'Hello {{1}}' };
  const { sid } = emulator.operate.addTemplate(template);
  const content = await page.evaluate(async (contentSid) => {
    const heard = new Promise<TwilioConversations.Message>((resolve) => {
      conversation.once('messageAdded', resolve);
    });
    await conversation.prepareMessage().setContentTemplate(contentSid).buildAndSend();
    return (await heard).getContentData();
  }, sid);
  expect(content).toMatchObject({ type: 'text', body: 'Hello you' });
});
