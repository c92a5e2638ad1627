/** Files as pages have them: forms, files with names, blobs, and pictures that are shown. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumStage } from './chromium-stage.ts';
import { arrival, filesOf, meet, textOf, type Room } from './rooms.ts';
import type { SdkName, Stage } from './scenarios.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await chromiumStage();
});

afterAll(() => stage.close());

let pairs = 0;

async function rooms(sdk: SdkName): Promise<readonly [Room, Room]> {
  pairs += 1;
  const people = ['alice', 'bob'].map((name) => stage.device(sdk, `${name} ${pairs}`));
  const [alice, bob] = await Promise.all(people);
  if (!alice || !bob) throw new Error('Nobody is there.');
  return meet(alice, bob);
}

/** A red square. */
async function picture(): Promise<Blob> {
  const canvas = new OffscreenCanvas(16, 16);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('There is no canvas.');
  context.fillStyle = '#ff0000';
  context.fillRect(0, 0, 16, 16);
  return canvas.convertToBlob({ type: 'image/png' });
}

test.each<SdkName>(['twilio-chat', 'Conversations'])(
  'a form with a picture arrives with its name, and can be shown: %s',
  async (sdk) => {
    const [own, bobs] = await rooms(sdk);
    const arrived = arrival(bobs);
    const form = new FormData();
    form.append('file', await picture(), 'kneecap ❤️.png');
    await own.raw.sendMessage(form);
    const [file] = filesOf(await arrived);
    expect([file?.filename, file?.contentType]).toEqual(['kneecap ❤️.png', 'image/png']);
    const image = new Image();
    image.src = (await file?.getContentTemporaryUrl()) ?? '';
    await image.decode();
    expect([image.naturalWidth, image.naturalHeight]).toEqual([16, 16]);
    expect(await stage.seen()).not.toMatch(/kneecap|image\/png|IHDR/);
  },
);

test('a builder sends forms and Blobs in one message, which are found by sid', async () => {
  const [own, bobs] = await rooms('Conversations');
  if (!('prepareMessage' in own.raw)) throw new Error('There is no builder.');
  const arrived = arrival(bobs);
  const form = new FormData();
  form.append('file', new Blob(['left'], { type: 'text/plain' }), 'left meniscus.txt');
  const blob = {
    contentType: 'text/plain',
    filename: 'right meniscus.txt',
    media: new Blob(['right']),
  };
  const builder = own.raw.prepareMessage().setBody('both').setSubject('menisci');
  await builder.addMedia(form).addMedia(blob).buildAndSend();
  const message = await arrived;
  if (!('attachedMedia' in message)) throw new Error('There are no files.');
  expect([message.body, message.subject]).toEqual(['both', 'menisci']);
  const files = filesOf(message);
  expect(files.map(({ filename }) => filename)).toEqual([
    'left meniscus.txt',
    'right meniscus.txt',
  ]);
  const urls = await message.getTemporaryContentUrlsForMediaSids(files.map(({ sid }) => sid));
  const texts = [...urls.values()].map(async (url) => (await fetch(url)).text());
  expect(await Promise.all(texts)).toEqual(['left', 'right']);
  expect(await stage.seen()).not.toMatch(/menisc|text\/plain/);
});

test('a form with anything beside the file is refused, and nothing is sent', async () => {
  const [own] = await rooms('twilio-chat');
  const form = new FormData();
  form.append('file', new Blob(['A']), 'a.txt');
  form.append('note', 'in the clear');
  await expect(own.raw.sendMessage(form)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(await stage.seen()).not.toContain('in the clear');
});

test('a large file is read piece by piece', async () => {
  const [own, bobs] = await rooms('Conversations');
  const arrived = arrival(bobs);
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(3_000_000).fill(7)]), 'large.bin');
  await own.raw.sendMessage(form);
  const [file] = filesOf(await arrived);
  if (!file) throw new Error('There is no file.');
  let [bytes, pieces] = [0, 0];
  for await (const piece of await file.getContentStream()) {
    bytes += piece.length;
    pieces += 1;
  }
  expect(bytes).toBe(3_000_000);
  expect(pieces).toBeGreaterThan(40);
  expect((await textOf(file)).length).toBe(3_000_000);
});
