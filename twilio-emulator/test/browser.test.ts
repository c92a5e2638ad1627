import type { Page } from 'playwright-core';
import type TwilioChat from 'twilio-chat';
import { expect, test } from 'vitest';
import type { RunningEmulator } from '../src/index.ts';
import { collect, next } from './support/events.ts';
import { openPage } from './support/page.ts';
import { createPair, createWorld, settled } from './support/world.ts';

declare global {
  var client: TwilioChat.Client;
  var channel: TwilioChat.Channel;
  var heard: string[];
}

test('the browser build of twilio-chat works in Chromium', { timeout: 60_000 }, async () => {
  const { emulator, connect, token } = await createWorld({ record: 1000 });
  const alice = await connect('alice');
  const page = await openClient(emulator, token('bob'));

  const [ours] = await createPair(alice, await connect('carol'));
  for (let i = 0; i < 75; i++) await ours.sendMessage(`m${i}`);
  emulator.tamper.remove('u', 10);
  emulator.tamper.remove('u', 44);
  const joined = next(ours, 'memberJoined');
  await ours.add('bob');
  await joined;
  await page.evaluate(async () => {
    while (!('channel' in globalThis)) await new Promise(requestAnimationFrame);
    await channel.getMembers();
  });
  await settled(emulator, 'bob');

  const pages = await page.evaluate(async () => {
    const sizes: number[] = [];
    const indexes: number[] = [];
    for (let one = await channel.getMessages(30); ; one = await one.prevPage()) {
      sizes.push(one.items.length);
      indexes.unshift(...one.items.map(({ index }) => index));
      if (!one.hasPrevPage) return { sizes, indexes };
    }
  });
  expect(pages.sizes).toEqual([30, 30, 13]);
  const left = Array.from({ length: 75 }, (_, i) => i).filter((i) => i !== 10 && i !== 44);
  expect(pages.indexes).toEqual(left);
  // Unlike the one in Node, this build follows page tokens.
  expect(JSON.stringify(emulator.inspect.received())).toContain('"PageToken"');

  const fromBrowser = next(ours, 'messageAdded', ({ author }) => author === 'bob');
  expect(await page.evaluate(() => channel.sendMessage('from Chromium', { k: 1 }))).toBe(75);
  expect(await fromBrowser).toMatchObject({ body: 'from Chromium', attributes: { k: 1 } });
  await ours.sendMessage('to Chromium');
  await expect.poll(() => page.evaluate(() => heard)).toEqual(['from Chromium', 'to Chromium']);

  const created = await page.evaluate(async () => {
    const own = await client.createChannel({ uniqueName: 'own', isPrivate: false });
    await own.join();
    return own.uniqueName;
  });
  expect(created).toBe('own');
  expect(emulator.inspect.channels().at(-1)).toMatchObject({ type: 'public', members: ['bob'] });
});

test('media go from and to Chromium', { timeout: 60_000 }, async () => {
  const { emulator, connect, token } = await createWorld();
  const alice = await connect('alice');
  const page = await openClient(emulator, token('bob'));
  const [ours] = await createPair(alice, await connect('carol'));
  await ours.add('bob');
  await page.waitForFunction(() => 'channel' in globalThis);
  await page.evaluate(() => channel.getMembers());
  await settled(emulator, 'bob');

  const heard = collect(ours, 'messageAdded', 4);
  await page.evaluate(async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const form = new FormData();
    form.append('file', new File([bytes], 'a"é.png', { type: 'image/png' }));
    await channel.sendMessage(form, { k: 1 });
    const unnamed = new FormData();
    unnamed.append('file', new Blob([bytes]));
    await channel.sendMessage(unnamed);
    const text = { contentType: 'text/plain', media: 'héllo' };
    // Unlike the SDK, its types do not know of Blobs here.
    const blob = Object.assign({ ...text }, { contentType: 'image/png', media: new Blob([bytes]) });
    await channel.sendMessage(blob);
    await channel.sendMessage(text);
  });
  const sent = await heard;
  expect(sent[0]?.attributes).toEqual({ k: 1 });
  expect(sent.map(({ media }) => [media.filename, media.contentType, media.size])).toEqual([
    ['a"é.png', 'image/png', 256],
    ['blob', 'application/octet-stream', 256],
    [null, 'image/png', 256],
    [null, 'text/plain', 6],
  ]);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const stored = emulator.inspect.media().map((media) => Buffer.from(media.bytes));
  expect(stored).toEqual([bytes, bytes, bytes, Buffer.from('héllo')]);

  await ours.sendMessage({ contentType: 'image/svg+xml', media: '<svg/>' });
  const seen = await page.evaluate(async () => {
    const { items } = await channel.getMessages(1);
    const url = await items[0]?.media.getContentTemporaryUrl();
    const response = await fetch(url ?? '');
    return [response.headers.get('Content-Type'), await response.text()];
  });
  expect(seen).toEqual(['image/svg+xml', '<svg/>']);

  // A refusal is read across origins too, though the upload has hardly begun.
  emulator.tamper.onRequest(({ path }) =>
    path.endsWith('/Media') ? { when: 'before', then: 'fail', status: 500 } : undefined,
  );
  const refusal = await page.evaluate(() =>
    channel
      .sendMessage({ contentType: 'a/b', media: 'x'.repeat(5_000_000) })
      .catch((error: unknown) => String(error)),
  );
  expect(refusal).toContain('500: ');
});

/** A page with a client of `bob`; the first channel it is in becomes `globalThis.channel`. */
async function openClient(emulator: RunningEmulator, token: string): Promise<Page> {
  // It carries an older Sync library than npm installs.
  const page = await openPage('twilio-chat/builds/twilio-chat.js');
  await page.evaluate(
    async ([jwt, options]) => {
      globalThis.client = new Twilio.Chat.Client(jwt, options);
      globalThis.heard = [];
      client.on('messageAdded', ({ body }) => heard.push(body));
      client.on('channelJoined', (one) => {
        globalThis.channel = one;
      });
      await new Promise((resolve) => client.once('connectionStateChanged', resolve));
    },
    [token, emulator.clientOptions] as const,
  );
  return page;
}
