/** Files: encrypted before the SDK gets them, and read again by those who may. */
import type { Channel, Message } from 'twilio-chat';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { next, pair, startWorld, type Person, type World } from './world.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
});

afterAll(() => world.close());

const XRAY = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 251);
const PNG = { contentType: 'image/png', media: Buffer.from(XRAY) };

async function sendFile(
  own: Channel,
  theirs: Channel,
  ...args: Parameters<Channel['sendMessage']>
): Promise<Message> {
  const arrived = next<Message>(theirs, 'messageAdded');
  await own.sendMessage(...args);
  return arrived;
}

async function bytesAt(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** The last file that was uploaded. */
function stored() {
  const file = world.emulator.inspect.media().at(-1);
  if (!file) throw new Error('There is no file.');
  return file;
}

describe('a file', () => {
  test('is read by the others with its type, its size and the attributes beside it', async () => {
    const [own, bobs] = await pair(alice, bob);
    const message = await sendFile(own, bobs, PNG, { part: 'kneecap' });
    expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
    expect([message.type, message.body]).toEqual(['media', null]);
    expect(message.attributes).toEqual({ part: 'kneecap' });
    expect([message.media.contentType, message.media.size]).toEqual(['image/png', XRAY.length]);
    const url = await message.media.getContentTemporaryUrl();
    expect(url).toMatch(/^blob:/);
    expect(await bytesAt(url)).toEqual(XRAY);
  });

  test('is seen by Twilio as bytes of a padded length, without name, type or attributes', async () => {
    const [own, bobs] = await pair(alice, bob);
    const media = { contentType: 'text/plain', media: 'the diagnosis' };
    await sendFile(own, bobs, media, { part: 'kneecap' });
    expect(stored()).toMatchObject({ contentType: 'application/octet-stream', filename: null });
    expect(Buffer.from(stored().bytes).includes('diagnosis')).toBe(false);
    const seen = JSON.stringify(world.emulator.inspect.messages(own.sid));
    expect(seen).not.toMatch(/kneecap|diagnosis|text\/plain/);
  });

  test('comes as a stream, with progress, and can be given up', async () => {
    const [own, bobs] = await pair(alice, bob);
    const { media } = await sendFile(own, bobs, PNG);
    const done: number[] = [];
    const stream = await media.getContentStream({ onProgress: (bytes) => done.push(bytes) });
    expect(new Uint8Array(await new Response(stream).arrayBuffer())).toEqual(XRAY);
    expect(done.at(-1)).toBe(XRAY.length);
    const giveUp = new AbortController();
    giveUp.abort(new Error('the page was closed'));
    await expect(media.getContentStream({ signal: giveUp.signal })).rejects.toThrow('was closed');
  });

  test.each(['text/html', 'image/svg+xml', 'video/x+xml'])(
    'of a type that could run a script is offered as bytes: %s',
    async (contentType) => {
      const [own, bobs] = await pair(alice, bob);
      const page = { contentType, media: '<script>alert(1)</script>' };
      const { media } = await sendFile(own, bobs, page);
      expect(media.contentType).toBe(contentType);
      const response = await fetch(await media.getContentTemporaryUrl());
      expect(response.headers.get('content-type')).toBe('application/octet-stream');
    },
  );

  test('has one address until its message is removed, and none afterwards', async () => {
    const [own, bobs] = await pair(alice, bob);
    const message = await sendFile(own, bobs, PNG);
    const url = await message.media.getContentTemporaryUrl();
    expect(await message.media.getContentTemporaryUrl()).toBe(url);
    const removed = next(bobs, 'messageRemoved');
    await (await own.getMessages(1)).items[0]?.remove();
    await removed;
    await expect(fetch(url)).rejects.toThrow();
  });

  test('has no address any more when the device is closed', async () => {
    const [own] = await pair(alice, bob);
    const again = await world.again(bob);
    const bobs = await again.client.getChannelBySid(own.sid);
    await bobs.getMembers();
    const { media } = await sendFile(own, bobs, PNG);
    const url = await media.getContentTemporaryUrl();
    again.encryption.close();
    await expect(fetch(url)).rejects.toThrow();
    await expect(media.getContentStream()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('Twilio cannot', () => {
  test('change a file', async () => {
    const [own, bobs] = await pair(alice, bob);
    const { media } = await sendFile(own, bobs, PNG);
    const bytes = Uint8Array.from(stored().bytes);
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    world.emulator.tamper.rewriteMedia(stored().sid, { bytes });
    await expect(media.getContentTemporaryUrl()).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    });
  });

  test('exchange two files of one length', async () => {
    const [own, bobs] = await pair(alice, bob);
    const left = await sendFile(own, bobs, { contentType: 'text/plain', media: 'left!' });
    const { sid } = stored();
    await sendFile(own, bobs, { contentType: 'text/plain', media: 'right' });
    world.emulator.tamper.rewriteMedia(sid, { bytes: stored().bytes });
    await expect(left.media.getContentTemporaryUrl()).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    });
  });

  test('lose a file unnoticed', async () => {
    const [own, bobs] = await pair(alice, bob);
    await sendFile(own, bobs, PNG);
    world.emulator.tamper.rewrite(own.sid, 0, { media: [] }, 'silently');
    const again = await world.again(bob);
    const channel = await again.client.getChannelBySid(own.sid);
    const [message] = (await channel.getMessages(1)).items;
    // With the file went the place of its envelope.
    expect(message?.encryption).toMatchObject({ status: 'rejected' });
    expect(message?.media).toBeNull();
  });

  test.each(['null', '5', '"e2e"', '[]', 'not JSON'])(
    'crash a reader with attributes like %s beside a file',
    async (attributes) => {
      const [own, bobs] = await pair(alice, bob);
      await sendFile(own, bobs, PNG);
      const { media } = world.emulator.inspect.messages(own.sid)[0] ?? { media: [] };
      const arrived = next<Message>(bobs, 'messageAdded');
      world.emulator.tamper.inject(own.sid, { author: 'alice', body: '', attributes, media });
      expect((await arrived).encryption.status).toBe('rejected');
      const after = next<Message>(bobs, 'messageAdded');
      await own.sendMessage('still there');
      expect((await after).body).toBe('still there');
    },
  );

  test('withhold its bytes without an error that says so', async () => {
    const [own, bobs] = await pair(alice, bob);
    const { media } = await sendFile(own, bobs, PNG);
    world.emulator.tamper.removeMedia(stored().sid);
    await expect(media.getContentStream()).rejects.toMatchObject({ code: 'FILE_UNREACHABLE' });
  });
});

describe('attributes that the application names', () => {
  test('are seen by Twilio too, and taken from the envelope by readers', async () => {
    const carol = await world.person('carol', { clearAttributes: ['queue'] });
    const [own, bobs] = await pair(carol, bob);
    const text = next<Message>(bobs, 'messageAdded');
    await own.sendMessage('hello', { queue: 'billing', temperament: 'good' });
    const file = next<Message>(bobs, 'messageAdded', ({ type }) => type === 'media');
    await own.sendMessage(PNG, { queue: 'images', temperament: 'good' });
    for (const [message, queue] of [
      [await text, 'billing'],
      [await file, 'images'],
    ] as const) {
      expect(message.encryption).toMatchObject({ status: 'verified' });
      expect(message.attributes).toEqual({ queue, temperament: 'good' });
    }
    const seen = world.emulator.inspect.messages(own.sid);
    expect(JSON.parse(seen[0]?.attributes ?? '')).toEqual({ queue: 'billing' });
    expect(JSON.parse(seen[1]?.attributes ?? '')).toMatchObject({ queue: 'images' });
    expect(JSON.stringify(seen)).not.toContain('temperament');
    // Twilio changes what it sees.
    world.emulator.tamper.rewrite(own.sid, 0, { attributes: '{"queue":"forged"}' });
    const [first] = (await bobs.getMessages(10)).items;
    expect(first?.attributes).toEqual({ queue: 'billing', temperament: 'good' });
    const edited = next(bobs, 'messageUpdated');
    const [mine] = (await own.getMessages(10)).items;
    await mine?.updateAttributes({ queue: 'archive', temperament: 'better' });
    await edited;
    await expect
      .poll(
        () => JSON.parse(world.emulator.inspect.messages(own.sid)[0]?.attributes ?? '') as unknown,
      )
      .toEqual({ queue: 'archive' });
  });

  test('that JSON cannot carry are refused, in a message and in an edit', async () => {
    const erin = await world.person('erin', { clearAttributes: ['queue'] });
    const [own] = await pair(erin, bob);
    const cyclic: Record<string, unknown> = {};
    cyclic['itself'] = cyclic;
    const refused = { code: 'INVALID_CONTENT' };
    await expect(own.sendMessage('one', cyclic)).rejects.toMatchObject(refused);
    await own.sendMessage('two');
    const [message] = (await own.getMessages()).items;
    await expect(message?.updateAttributes(cyclic)).rejects.toMatchObject(refused);
  });

  test('cannot have the name of the envelope', async () => {
    await expect(world.person('dave', { clearAttributes: ['e2e'] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
