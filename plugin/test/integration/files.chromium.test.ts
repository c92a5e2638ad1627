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
