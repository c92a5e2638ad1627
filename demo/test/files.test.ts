/** Files: encrypted on the way, shown to their readers, and not shown when Twilio changed them. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import type { StoredMedia } from 'twilio-chat-emulator';
import { encryptedMediaLength } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Person } from './support/person.ts';
import { drawnPicture, pixelsOf, type ChosenFile } from './support/picture.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
let alice: Person;
let bob: Person;
let picture: ChosenFile;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('Alice'), world.person('Bob')]);
  await Promise.all([alice.signUp(), bob.signUp()]);
  picture = await drawnPicture(alice.page, 'fever curve.png');
  await channelWithBob('Ward 3');
  await bob.open('Ward 3');
});

afterAll(() => world.close());

function textFile(name: string, text: string): ChosenFile {
  return { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
}

/** A channel of Alice and Bob that Alice has open. */
async function channelWithBob(name: string): Promise<string> {
  await alice.createChannel(name);
  await alice.addMember('Bob');
  return sidOf(name);
}

function sidOf(name: string): string {
  const channel = world.emulator.inspect.channels().find((one) => one.friendlyName === name);
  return channel?.sid ?? '';
}

/** The file that was uploaded last. */
function lastFile(): StoredMedia {
  const file = world.emulator.inspect.media().at(-1);
  if (!file) throw new Error('no file was uploaded');
  return file;
}

/** What somebody gets who clicks on the name of a file. */
async function saved({ page }: Person, link: Locator): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

describe('a picture', () => {
  test('is seen by its reader pixel by pixel, and can be saved byte by byte', async () => {
    await alice.sendFile(picture);
    const image = bob.page.getByRole('img', { name: picture.name });
    await image.waitFor();
    const own = alice.page.getByRole('img', { name: picture.name });
    expect(await pixelsOf(image)).toEqual(await pixelsOf(own));
    expect(await image.evaluate((one) => one.clientHeight)).toBeGreaterThan(100);

    const link = bob.message(picture.name).getByRole('link', { name: picture.name });
    expect(await saved(bob, link)).toEqual({ name: picture.name, bytes: picture.buffer });
  });

  test('is nothing but octets of another length at Twilio', async () => {
    const stored = lastFile();
    expect(stored.size).toBe(encryptedMediaLength(picture.buffer.length));
    expect(Buffer.from(stored.bytes).includes(picture.buffer.subarray(0, 8))).toBe(false);
    expect(Buffer.from(stored.bytes).includes('IDAT')).toBe(false);
    expect(stored.contentType).toBe('application/octet-stream');
    expect(world.emulator.inspect.dump()).not.toContain('fever');

    const panel = await bob.details(picture.name);
    const octets = await panel.getByLabel('Stored file').innerText();
    const start = Buffer.from(stored.bytes.subarray(0, 96)).toString('hex');
    expect(octets.replace(/[\s…]/g, '')).toBe(start);
    const [message] = world.emulator.inspect.messages(sidOf('Ward 3'));
    const text = (await panel.getByLabel('Stored text').innerText()).replace(/\s/g, '');
    expect(JSON.parse(message?.attributes ?? '')).toEqual({ e2e: text });
    const [own, padded] = [picture.buffer.length, stored.size].map((size) =>
      size.toLocaleString('en-GB'),
    );
    await panel.getByText(`the file itself has ${own ?? ''} bytes`).waitFor();
    await panel
      .getByRole('heading', { name: `The file, at Twilio ${padded ?? ''} bytes` })
      .waitFor();
    await panel.getByRole('button', { name: 'Close' }).click();
  });

  test('that none is can still be saved', async () => {
    const file = { name: 'torn.png', mimeType: 'image/png', buffer: randomBytes(300) };
    await alice.sendFile(file);
    const message = bob.message(file.name);
    await message.getByRole('link').waitFor();
    await message.getByRole('img', { name: file.name }).waitFor({ state: 'detached' });
    expect((await saved(bob, message.getByRole('link'))).bytes).toEqual(file.buffer);
  });
});

describe('files of other kinds', () => {
  test('go out before the text, each a message, and are links with name and size', async () => {
    await alice.attach(
      textFile('notes.txt', 'Slept well.'),
      textFile('wrong.txt', 'Not this one.'),
      {
        name: 'page.html',
        mimeType: 'text/html',
        buffer: Buffer.from('<script>alert(1)</script>'),
      },
    );
    await alice.page.getByRole('button', { name: 'Remove wrong.txt' }).click();
    await alice.send('Both for you.');
    await bob.message('Both for you.').waitFor();
    expect(await alice.page.getByRole('list', { name: 'Attached files' }).count()).toBe(0);
    const link = bob.message('notes.txt').getByRole('link', { name: 'notes.txt 11 bytes' });
    expect((await saved(bob, link)).bytes.toString()).toBe('Slept well.');
    expect(await bob.page.getByText('wrong.txt').count()).toBe(0);
    const order = await bob.page.locator('.body').allInnerTexts();
    expect(order.slice(-3).map((text) => text.split('\n')[0])).toEqual([
      'notes.txt',
      'page.html',
      'Both for you.',
    ]);
  });

  test('stay attached when they could not be sent, and are sent once then', async () => {
    const stop = world.emulator.tamper.onRequest(({ path }) =>
      path.endsWith('/Media') ? { when: 'before', then: 'fail', status: 403 } : undefined,
    );
    onTestFinished(stop);
    await alice.attach(textFile('again.txt', 'Once.'));
    await alice.page.getByRole('button', { name: 'Send', exact: true }).click();
    await alice.page.getByRole('alert').waitFor();
    await alice.page.getByRole('button', { name: 'Remove again.txt' }).waitFor();
    stop();
    await alice.page.getByRole('button', { name: 'Send', exact: true }).click();
    await bob.message('again.txt').waitFor();
    expect(await alice.message('again.txt').count()).toBe(1);
  });

  test('are attached by dropping them on the conversation', async () => {
    const transfer = await alice.page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(['Dropped.'], 'dropped.txt', { type: 'text/plain' }));
      return data;
    });
    const list = alice.page.locator('.messages');
    await list.dispatchEvent('dragover', { dataTransfer: transfer });
    await alice.page.locator('.conversation.dropping').waitFor();
    await list.dispatchEvent('drop', { dataTransfer: transfer });
    await alice.page.getByRole('button', { name: 'Remove dropped.txt' }).click();
    expect(await alice.page.locator('.dropping').count()).toBe(0);
  });
});

describe('a file is not shown, and it is said why', () => {
  test('when Twilio changed one bit of it', async () => {
    await channelWithBob('Changed');
    await alice.sendFile(picture);
    const { sid, bytes } = lastFile();
    const changed = Uint8Array.from(bytes);
    changed[1000] = (changed[1000] ?? 0) ^ 1;
    world.emulator.tamper.rewriteMedia(sid, { bytes: changed });
    await bob.open('Changed');
    const message = bob.message('File changed on the way');
    await message.getByText('DECRYPTION_FAILED').waitFor();
    await message.getByText(picture.name).waitFor();
    expect(await bob.page.getByRole('img', { name: picture.name }).count()).toBe(0);
    expect(await message.getByRole('link').count()).toBe(0);
    const panel = await bob.details('File changed on the way');
    await panel.getByText('The file is not the one that was sent.').waitFor();
  });

  test('when Twilio gives another one of the same length', async () => {
    await channelWithBob('Exchanged');
    await alice.sendFile(textFile('dose.txt', 'Give 5 mg.'));
    const first = lastFile();
    await alice.sendFile(textFile('other.txt', 'Give 9 mg.'));
    const { bytes } = lastFile();
    world.emulator.tamper.rewriteMedia(first.sid, { bytes });
    await bob.open('Exchanged');
    await bob.message('dose.txt').getByText('DECRYPTION_FAILED').waitFor();
    await bob.message('other.txt').getByRole('link').waitFor();
  });

  test('when Twilio lost it, and it is asked for again on demand', async () => {
    await channelWithBob('Lost');
    await alice.sendFile(textFile('gone.txt', 'Here and gone.'));
    await bob.page.route('**/Media/**', (route) => route.abort());
    await bob.open('Lost');
    const message = bob.message('gone.txt');
    await message.getByText('FILE_UNREACHABLE').waitFor();
    await bob.page.unroute('**/Media/**');
    await message.getByRole('button', { name: 'Try again' }).click();
    await message.getByRole('link', { name: 'gone.txt' }).waitFor();
  });

  test('when Twilio says that it has another one', async () => {
    const channel = await channelWithBob('Denied');
    await alice.sendFile(textFile('denied.txt', 'Never there.'));
    const [message] = world.emulator.inspect.messages(channel);
    const media = (message?.media ?? []).map((file) => ({ ...file, size: file.size + 1 }));
    world.emulator.tamper.rewrite(channel, message?.index ?? 0, { media });
    // What the SDK knows of a message's file, it does not ask again.
    await bob.page.reload();
    await bob.signIn();
    await bob.open('Denied');
    await bob.message('File missing').waitFor();
    const panel = await bob.details('File missing');
    await panel.getByText('FILES_MISSING').waitFor();
    expect(await bob.page.getByText('denied.txt').count()).toBe(0);
  });
});

test('no page reported an error or a violated policy', () => {
  expect(world.complaints()).toEqual([]);
});
