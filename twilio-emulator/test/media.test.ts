import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { Client, type Message } from 'twilio-chat';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clientOptions, createEmulator, startEmulator, type StoredMedia } from '../src/index.ts';
import { firstFile } from '../src/media/multipart.ts';
import { readAtMost } from '../src/media/upload.ts';
import { collect, next } from './support/events.ts';
import { accessToken, createPair, createWorld, settled, type World } from './support/world.ts';
import { connectRaw } from './support/wire.ts';

/** Every byte there is, so that nothing may take them for text. */
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

const PNG = { contentType: 'image/png', media: BYTES };

/** Two members; both follow everything. */
async function createScene(options = {}) {
  const world = await createWorld(options);
  const { connect, emulator } = world;
  const [alice, bob] = [await connect('alice'), await connect('bob')];
  const [ours, theirs] = await createPair(alice, bob);
  await settled(emulator, 'alice');
  await settled(emulator, 'bob');
  return { ...world, ...emulator, alice, bob, ours, theirs };
}

/** The file of a message, as an application downloads it. */
async function download({ media }: Message): Promise<Response> {
  return fetch(await media.getContentTemporaryUrl());
}

async function bytesOf(message: Message): Promise<Buffer> {
  return Buffer.from(await (await download(message)).arrayBuffer());
}

function serviceUrl({ url, config }: World['emulator']): string {
  return `${url}/v1/Services/${config.serviceSid}`;
}

/** An upload as the SDKs make it, but with anything in it. */
async function upload(
  { emulator, token }: Pick<World, 'emulator' | 'token'>,
  body: RequestInit['body'] = BYTES,
  { headers = {}, query = '' }: { headers?: Record<string, string>; query?: string } = {},
) {
  const response = await fetch(`${serviceUrl(emulator)}/Media?Category=media${query}`, {
    method: 'POST',
    headers: { 'X-Twilio-Token': token('alice'), ...headers },
    body,
  });
  const answer = (await response.json()) as { sid: string; code?: number };
  return { ...answer, status: response.status };
}

describe('a message with a file', () => {
  test('reaches the others with its bytes, its type and its attributes', async () => {
    const { ours, theirs, connect, inspect } = await createScene();
    const heard = next(theirs, 'messageAdded');
    expect(await ours.sendMessage('text first')).toBe(0);
    await heard;
    const live = next(theirs, 'messageAdded');
    expect(await ours.sendMessage(PNG, { word: 'é' })).toBe(1);

    const message = await live;
    expect(message).toMatchObject({
      ...{ type: 'media', index: 1, author: 'alice', attributes: { word: 'é' }, body: null },
      media: { contentType: 'image/png', size: 256, filename: null },
    });
    expect(await bytesOf(message)).toEqual(BYTES);
    const response = await download(message);
    expect(response.headers.get('Content-Type')).toBe('image/png');
    expect(response.headers.get('Content-Security-Policy')).toContain('sandbox');

    const later = await (await connect('bob')).getChannelByUniqueName('u');
    const [, again] = (await later.getMessages()).items;
    expect(again).toMatchObject({ type: 'media', sid: message.sid, body: null });
    if (again === undefined) expect.fail();
    expect(await bytesOf(again)).toEqual(BYTES);
    expect(inspect.messages('u')[1]).toMatchObject({ body: '', attributes: '{"word":"é"}' });
  });

  test.each([
    ['a string', 'text/plain', 'héllo', Buffer.from('héllo')],
    ['an empty Buffer', 'image/png', Buffer.alloc(0), Buffer.alloc(0)],
    ['a part of a Buffer', 'a/b; c="d"', BYTES.subarray(100, 120), BYTES.subarray(100, 120)],
    ['several megabytes', 'a/b', Buffer.alloc(5_000_000, BYTES), Buffer.alloc(5_000_000, BYTES)],
    // The SDK makes JSON of whatever has this content type.
    ['a string that is called JSON', 'application/json', '{}', Buffer.from('"{}"')],
  ])('can be made of %s', async (_what, contentType, media, expected) => {
    const { ours, theirs } = await createScene();
    const heard = next(theirs, 'messageAdded');
    // The SDK's types know of Buffers and strings only.
    await ours.sendMessage({
      contentType,
      media: media instanceof Uint8Array ? Buffer.from(media) : media,
    });
    const message = await heard;
    expect(message.media).toMatchObject({ contentType, size: expected.length });
    expect((await bytesOf(message)).equals(expected)).toBe(true);
  });

  test('has its place among the others, in pages too', async () => {
    const { ours, theirs } = await createScene();
    const heard = collect(theirs, 'messageAdded', 12);
    for (let i = 0; i < 12; i++) {
      await ours.sendMessage(
        i % 2 === 0 ? `m${i}` : { contentType: 'text/plain', media: `m${i}` },
        { i },
      );
    }
    const live = await heard;
    expect(live.map(({ attributes }) => attributes)).toEqual(live.map((_, i) => ({ i })));

    const last = await theirs.getMessages(5);
    const { items } = await last.prevPage();
    expect(items.map(({ index, type }) => `${index} ${type}`)).toEqual(
      [2, 3, 4, 5, 6].map((i) => `${i} ${i % 2 === 0 ? 'text' : 'media'}`),
    );
    for (const message of items.filter(({ type }) => type === 'media')) {
      expect((await bytesOf(message)).toString()).toBe(`m${message.index}`);
    }
  });

  test('can be edited and removed', async () => {
    const { ours, theirs, bob, inspect } = await createScene();
    const [own, heard] = [next(ours, 'messageAdded'), next(theirs, 'messageAdded')];
    await ours.sendMessage(PNG, { version: 1 });
    const message = await own;
    const edited = next(theirs, 'messageUpdated');
    await message.updateAttributes({ version: 2 });
    const seen = (await edited).message;
    expect(seen).toMatchObject({ type: 'media', attributes: { version: 2 } });
    expect(await bytesOf(seen)).toEqual(BYTES);
    await expect((await heard).updateAttributes({ by: 'bob' })).rejects.toMatchObject({
      status: 403,
    });

    const removed = next(theirs, 'messageRemoved');
    await message.remove();
    await removed;
    // Its file stays, but is nobody's business any more.
    expect(inspect.media()).toHaveLength(1);
    await expect(download(await heard)).rejects.toMatchObject({ code: 404 });
    expect(await bytesOf(message)).toEqual(BYTES);
    expect(bob.connectionState).toBe('connected');
  });

  test('is all or nothing', async () => {
    const { ours, inspect } = await createScene();
    // Neither works with the XMLHttpRequest that the SDK brings for Node; in browsers both do.
    const form = new FormData();
    form.append('file', new Blob([BYTES]), 'a.png');
    await expect(ours.sendMessage(form)).rejects.toThrow(TypeError);
    const tooMuch = 'x'.repeat(4096);
    await expect(ours.sendMessage(PNG, tooMuch)).rejects.toMatchObject({ status: 400 });
    expect(inspect.messages('u')).toEqual([]);
  });

  test('can carry several, in Conversations', async () => {
    const world = await createScene();
    const { emulator, token, theirs } = world;
    const { request } = await connectRaw(emulator, token('alice'));
    const first = await upload(world, BYTES, {
      headers: { 'Content-Type': 'image/png' },
      query: '&Filename=a%C3%A9.png',
    });
    const second = await upload(world, 'more', { query: '&Category=body' });
    const heard = next(theirs, 'messageAdded');
    const sids = [first.sid, second.sid];
    const sent = await request('POST', '/Client/v2/Conversations/u/Messages', {
      body: 'with text',
      media_sids: sids,
    });
    expect(sent).toMatchObject({ status: 201, body: { media: { sid: first.sid } } });
    expect((await heard).media).toMatchObject({ sid: first.sid, filename: 'aé.png' });

    const set = await fetch(`${serviceUrl(emulator)}/MediaSet`, {
      method: 'POST',
      headers: { 'X-Twilio-Token': token('bob') },
      body: JSON.stringify({
        command: 'get',
        list: [...sids, 'ME0'].map((media_sid) => ({ media_sid })),
      }),
    });
    expect(await set.json()).toMatchObject([
      { code: 200, media_record: { sid: first.sid, message_sid: (await heard).sid } },
      { code: 200, media_record: { sid: second.sid, content_type: 'text/plain;charset=UTF-8' } },
      { code: 404, media_record: { sid: 'ME0' } },
    ]);
  });
});

describe('an upload', () => {
  test.each<[string, number, (world: World) => string | undefined]>([
    ['without a token', 20101, () => undefined],
    ['with something else', 20101, () => 'x.y.z'],
    [
      'with a forged token',
      20107,
      ({ emulator: { config } }) => accessToken({ ...config, apiSecret: 'guessed' }, 'alice'),
    ],
    ['with an expired token', 20104, (world) => world.token('alice', -10)],
    [
      'with a token for another service',
      20106,
      ({ emulator: { config } }) =>
        accessToken({ ...config, serviceSid: `IS${'f'.repeat(32)}` }, 'alice'),
    ],
  ])('%s is refused', async (_what, code, make) => {
    const world = await createWorld();
    const token = make(world);
    const response = await fetch(`${serviceUrl(world.emulator)}/Media`, {
      method: 'POST',
      ...(token !== undefined && { headers: { 'X-Twilio-Token': token } }),
      body: BYTES,
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(await response.json()).toMatchObject({ status: 401, code });
    expect(world.emulator.inspect.media()).toEqual([]);
  });

  test('carries the token that the SDK was given last', async () => {
    let ahead = 0;
    const { emulator, connect } = await createWorld({ now: () => Date.now() + ahead });
    const alice = await connect('alice');
    const channel = await alice.createChannel({ uniqueName: 'u' });
    await channel.join();
    await channel.getMembers();
    await alice.updateToken(accessToken(emulator.config, 'alice', 7200));
    ahead = 3600_000;
    expect(await channel.sendMessage(PNG)).toBe(0);
  });

  test('of more than 150 MB is refused before it is made', async () => {
    const { emulator, token } = await createWorld();
    const request = httpRequest(`${serviceUrl(emulator)}/Media`, {
      method: 'POST',
      headers: { 'X-Twilio-Token': token('alice'), 'Content-Length': 150 * 1024 * 1024 + 1 },
    });
    request.flushHeaders();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    response.resume();
    await once(response, 'end');
    request.destroy();
  });

  test('of more than 150 MB fails in the SDK with the reason', async () => {
    const { ours, inspect } = await createScene();
    const media = Buffer.alloc(150 * 1024 * 1024 + 1);
    await expect(ours.sendMessage({ contentType: 'a/b', media })).rejects.toMatchObject({
      code: 413,
      body: { code: 50512 },
    });
    expect(inspect.media()).toEqual([]);
  });

  test('whose size is not announced is counted, and what is too much is not kept', async () => {
    const chunks = [Buffer.from('abc'), Buffer.from('de')];
    expect(await readAtMost(Readable.from(chunks), 5)).toEqual(Buffer.from('abcde'));
    expect(await readAtMost(Readable.from(chunks), 4)).toBeNull();
  });

  test('that breaks off stores nothing and does no harm', async () => {
    const world = await createWorld();
    const { emulator, token } = world;
    const request = httpRequest(`${serviceUrl(emulator)}/Media`, {
      method: 'POST',
      headers: { 'X-Twilio-Token': token('alice'), 'Content-Length': 1000 },
    });
    request.on('error', () => undefined);
    request.write('only a part');
    await once(request, 'socket');
    await new Promise((resolve) => setTimeout(resolve, 50));
    request.destroy();
    expect((await upload(world)).status).toBe(201);
    expect(emulator.inspect.media()).toHaveLength(1);
  });

  test('can be a form; its first file counts', async () => {
    const world = await createWorld();
    const form = new FormData();
    form.append('comment', 'no file');
    form.append('file', new Blob([BYTES], { type: 'image/png' }), 'a"é.png');
    form.append('more', new Blob(['other']), 'b.png');
    expect(await upload(world, form)).toMatchObject({
      status: 201,
      service_sid: world.emulator.config.serviceSid,
      author: 'alice',
      size: 256,
      content_type: 'image/png',
      filename: 'a"é.png',
      channel_sid: null,
      message_sid: null,
    });
    expect(world.emulator.inspect.media()[0]?.bytes).toEqual(BYTES);
  });

  test('that makes no sense is refused', async () => {
    const world = await createWorld();
    const form = new FormData();
    form.append('comment', 'no file');
    const longName = new FormData();
    longName.append('file', new Blob(['x']), 'x'.repeat(257));
    const badType = { 'Content-Type': `a/${'b'.repeat(300)}` };
    expect(await upload(world, form)).toMatchObject({ status: 400, code: 20001 });
    expect(await upload(world, longName)).toMatchObject({ status: 400, code: 20001 });
    expect(await upload(world, 'x', { headers: badType })).toMatchObject({ code: 50511 });
    expect(
      await upload(world, 'x', { headers: { 'Content-Type': 'multipart/form-data' } }),
    ).toMatchObject({ status: 400 });
    const nowhere = await fetch(`${serviceUrl(world.emulator)}/Media/ME0/x`, {
      headers: { 'X-Twilio-Token': world.token('alice') },
    });
    expect(nowhere.status).toBe(404);
    expect(world.emulator.inspect.media()).toEqual([]);
  });
});

test('forms are read as they are written', async () => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
  const bytes = fc.oneof(fc.uint8Array(), fc.constantFrom(Buffer.from('\r\n\r\n--'), BYTES));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, bytes), { maxLength: 3 }), async (files) => {
      const form = new FormData();
      form.append('field', '\r\n\r\n');
      for (const [filename, content] of files) {
        form.append('file', new Blob([Buffer.from(content)]), filename);
      }
      const response = new Response(form);
      const type = response.headers.get('Content-Type') ?? '';
      const read = firstFile(Buffer.from(await response.arrayBuffer()), type);
      const [first] = files;
      // In names, "%22" and the like cannot be told from what browsers write for a quotation mark.
      const expected = first && {
        bytes: Buffer.from(first[1]),
        contentType: 'application/octet-stream',
        filename: first[0].toWellFormed().replaceAll(/%(22|0D|0A)/gi, decodeURIComponent),
      };
      expect(read).toEqual(expected ?? null);
    }),
    { numRuns: 200 },
  );
});

describe('a file', () => {
  test('is for the members of its channel', async () => {
    const { emulator, token, ours } = await createScene();
    await ours.sendMessage(PNG);
    const [{ sid }] = emulator.inspect.media() as [StoredMedia];
    const url = `${serviceUrl(emulator)}/Media/${sid}`;
    const status = async (address: string, identity?: string): Promise<number> => {
      const headers = { ...(identity !== undefined && { 'X-Twilio-Token': token(identity) }) };
      return (await fetch(address, { headers })).status;
    };
    for (const address of [url, `${url}/Content`]) {
      expect(await status(address, 'alice')).toBe(200);
      expect(await status(address, 'bob')).toBe(200);
      expect(await status(address, 'eve')).toBe(404);
      expect(await status(address)).toBe(401);
    }
  });

  test('has links that cannot be guessed and expire', async () => {
    let ahead = 0;
    const { inspect, ours, theirs } = await createScene({ now: () => Date.now() + ahead });
    const heard = collect(theirs, 'messageAdded', 2);
    await ours.sendMessage(PNG);
    await ours.sendMessage({ contentType: 'text/plain', media: 'other' });
    const [message] = await heard;
    const [media, other] = inspect.media();
    if (!message?.media || !media || !other) expect.fail();
    const link = await message.media.getContentTemporaryUrl();
    const status = async (url: string): Promise<number> => (await fetch(url)).status;

    expect(await status(link)).toBe(200);
    expect(await status(link.replace(media.sid, other.sid))).toBe(403);
    expect(await status(link.replace(/Expires=\d/, 'Expires=9'))).toBe(403);
    expect(await status(link.replace(/Signature=.*/, 'Signature=guessed'))).toBe(403);
    expect(await status(link.replace(/Signature=.*/, ''))).toBe(401);
    expect(await status(link.replace('/Content', ''))).toBe(401);
    ahead = 5 * 60_000;
    expect(await status(link)).toBe(403);
    expect(await status(await message.media.getContentTemporaryUrl())).toBe(200);
  });

  test('goes into one message, of who has uploaded it', async () => {
    const world = await createScene();
    const { emulator, token } = world;
    const alice = await connectRaw(emulator, token('alice'));
    const bob = await connectRaw(emulator, token('bob'));
    const { sid } = await upload(world);
    const path = '/Client/v1/Conversations/u/Messages';
    const refusals = [
      [alice, { media_sid: `ME${'0'.repeat(32)}` }, 50507],
      [alice, { media_sid: '__proto__' }, 50507],
      [bob, { media_sid: sid }, 50507],
      [alice, { media_sid: 7 }, 20001],
      [alice, { media_sids: 'x' }, 20001],
      [alice, { media_sids: Array.from({ length: 11 }, () => sid) }, 20001],
    ] as const;
    for (const [client, body, code] of refusals) {
      expect(await client.request('POST', path, body)).toMatchObject({ body: { code } });
    }
    expect((await alice.request('POST', path, { media_sid: sid })).status).toBe(201);
    expect(await alice.request('POST', path, { media_sid: sid })).toMatchObject({
      body: { code: 50508 },
    });
    expect(emulator.inspect.messages('u')).toHaveLength(1);
  });
});

describe('a curious and malicious Twilio', () => {
  test('reads files, and finds in the dump what can be read in them', async () => {
    const { inspect, ours } = await createScene();
    const media = Buffer.concat([BYTES, Buffer.from('the sécret words')]);
    await ours.sendMessage({ contentType: 'image/png', media });
    const [stored] = inspect.media();
    expect(stored).toMatchObject({ author: 'alice', contentType: 'image/png', size: media.length });
    expect(stored?.bytes).toEqual(media);
    expect(inspect.messages('u')[0]?.media).toEqual([
      { sid: stored?.sid, category: 'media', filename: null, contentType: 'image/png', size: 273 },
    ]);
    expect(inspect.dump()).toContain('the sécret words');
  });

  test('changes, invents and loses files', async () => {
    const { inspect, tamper, ours, theirs } = await createScene();
    const heard = next(theirs, 'messageAdded');
    await ours.sendMessage(PNG);
    const message = await heard;
    const { sid } = message.media;
    tamper.rewriteMedia(sid, { bytes: Buffer.from('changed'), contentType: 'text/html' });
    const response = await download(message);
    expect(response.headers.get('Content-Type')).toBe('text/html');
    expect(await response.text()).toBe('changed');
    expect(message.media.size).toBe(256);
    expect(() => tamper.rewriteMedia(sid, { contentType: 'a\r\nb' })).toThrow();

    const invented = tamper.injectMedia({
      ...{ author: 'alice', bytes: Buffer.from('invented'), contentType: 'text/plain' },
    });
    const other = next(theirs, 'messageAdded');
    tamper.inject('u', { author: 'alice', body: '', media: [invented] });
    expect((await bytesOf(await other)).toString()).toBe('invented');
    expect(Object.keys(inspect.messages('u')[1]?.media[0] ?? {})).not.toContain('bytes');

    tamper.removeMedia(sid);
    await expect(download(message)).rejects.toMatchObject({ code: 404, body: { code: 50507 } });
    expect(() => {
      tamper.removeMedia(sid);
    }).toThrow('Media not found');
  });

  test('exchanges the files of messages, and says what is not so', async () => {
    const { inspect, tamper, ours, connect } = await createScene();
    await ours.sendMessage({ contentType: 'text/plain', media: 'zero' });
    await ours.sendMessage({ contentType: 'text/plain', media: 'one' });
    await ours.sendMessage('text');
    const [zero, one] = inspect.messages('u');
    if (!zero || !one) expect.fail();
    tamper.rewrite('u', 0, { media: one.media.map((media) => ({ ...media, size: 7 })) });
    tamper.rewrite('u', 1, { media: [] }, 'silently');
    tamper.rewrite('u', 2, { media: zero.media }, 'silently');
    const bobs = await (await connect('bob')).getChannelByUniqueName('u');
    const [first, second, third] = (await bobs.getMessages()).items;
    if (!first || !second || !third) expect.fail();
    expect((await bytesOf(first)).toString()).toBe('one');
    expect(first.media.size).toBe(7);
    expect(second).toMatchObject({ type: 'text', media: null });
    expect((await bytesOf(third)).toString()).toBe('zero');
  });

  test('fails uploads and downloads, before or after they take effect', async () => {
    const { inspect, tamper, ours, theirs } = await createScene();
    const fates = [
      { when: 'before', then: 'fail', status: 500 },
      { when: 'after', then: 'fail', status: 500 },
      { when: 'after', then: 'disconnect' },
    ] as const;
    const asked: string[] = [];
    const undo = tamper.onRequest(({ identity, method, path }) => {
      if (!path.startsWith('/v1/Services/')) return undefined;
      asked.push(`${identity} ${method} ${path.replace(/\/IS\w+/, '')}`);
      return fates[asked.length - 1];
    });
    for (const fate of fates) {
      const code = fate.then === 'fail' ? 500 : 0;
      await expect(ours.sendMessage(PNG)).rejects.toMatchObject({ code });
    }
    expect(asked).toEqual(asked.map(() => 'alice POST /v1/Services/Media'));
    expect(inspect.messages('u')).toEqual([]);
    expect(inspect.media()).toHaveLength(2);

    const heard = next(theirs, 'messageAdded');
    await ours.sendMessage(PNG);
    undo();
    tamper.onRequest(({ method, path }) =>
      method === 'GET' && path.includes('/Media/ME')
        ? { when: 'before', then: 'fail', status: 500 }
        : undefined,
    );
    await expect(download(await heard)).rejects.toMatchObject({ code: 500 });
  });
});

test('media in a server of one’s own, behind a proxy that adds a path', async () => {
  const started = await startEmulator();
  await started.close();
  const { config } = started;
  const server = createServer((request, response) => {
    request.url = (request.url ?? '').replace(/^\/twilio/, '');
    emulator.serveMedia(request, response, () => response.end('the application'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') expect.fail();
  const url = `http://127.0.0.1:${address.port}`;
  const emulator = createEmulator({ ...config, publicUrl: `${url}/twilio/` });
  emulator.attach(server);
  const client = new Client(accessToken(config, 'alice'), clientOptions(url));
  onTestFinished(async () => {
    await client.shutdown();
    await emulator.close();
    server.close();
    server.closeAllConnections();
  });

  await next(client, 'stateChanged', (state) => state === 'initialized');
  const channel = await client.createChannel({ uniqueName: 'u' });
  await channel.join();
  await channel.getMembers();
  const heard = next(channel, 'messageAdded');
  await channel.sendMessage(PNG);
  const message = await heard;
  expect(await message.media.getContentTemporaryUrl()).toContain(`${url}/twilio/v1/Services/`);
  expect(await bytesOf(message)).toEqual(BYTES);
  expect(await (await fetch(`${url}/else`)).text()).toBe('the application');
  expect(() => createEmulator({ ...config, publicUrl: 'nonsense' })).toThrow(TypeError);
});
