/**
 * The page fits a phone and a desktop, in light and dark. With SCREENSHOTS=<folder> it is also
 * photographed.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { choosePicture, codeOf, compare } from './support/comparison.ts';
import { backUp, bannerOf, devicesOf, dialogOf } from './support/devices.ts';
import { PASSWORD, type Person } from './support/person.ts';
import { drawnPicture } from './support/picture.ts';
import { startWorld, type World } from './support/world.ts';

const FOLDER = process.env['SCREENSHOTS'];

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const SCHEMES = ['light', 'dark'] as const;

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  const options: BrowserContextOptions = { viewport: SIZES.desktop };
  [alice, bob] = await Promise.all([world.person('Alice', options), world.person('Bob', options)]);
  if (FOLDER) mkdirSync(FOLDER, { recursive: true });
});

afterAll(() => world.close());

/** Nothing is cut off or needs scrolling sideways, whatever the size and the colours. */
async function expectToFit({ page }: Person, name: string): Promise<void> {
  for (const [device, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, `${name} on a ${device}`).toBeLessThanOrEqual(size.width);
      if (FOLDER)
        await page.screenshot({ path: join(FOLDER, `${name}-${device}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize(SIZES.desktop);
  await page.emulateMedia({ colorScheme: 'light' });
}

describe('fits', () => {
  test('signing in', async () => {
    await alice.page.getByLabel('Password').waitFor();
    await expectToFit(alice, 'sign-in');
  });

  test('nothing there yet', async () => {
    await Promise.all([alice.signUp(), bob.signUp()]);
    await expectToFit(alice, 'empty');
  });

  test('a chat with its details', async () => {
    await talk();
    await attack();
    await alice.details('Down to 37.2');
    await alice.page.getByLabel('Stored text').waitFor();
    await expectToFit(alice, 'details');
  });

  test('a chat with rejected messages', async () => {
    const panel = await alice.details('DECRYPTION_FAILED');
    await panel.getByLabel('Stored text').waitFor();
    await expectToFit(alice, 'rejected');
    await panel.getByRole('button', { name: 'Close' }).click();
    await expectToFit(alice, 'chat');
  });

  test('pictures, other files, and one that was changed', async () => {
    await bob.open('Ward 3');
    await bob.sendFile(await drawnPicture(bob.page, 'fever curve.png'));
    await alice.page.getByRole('img', { name: 'fever curve.png' }).waitFor();
    await alice.attach(
      { name: 'Discharge letter.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(48_213) },
      { name: 'consent.txt', mimeType: 'text/plain', buffer: Buffer.from('Signed.') },
    );
    await alice.page.getByLabel('Message to Ward 3').fill('The letter, for your signature.');
    await expectToFit(alice, 'attached');
    await alice.page.keyboard.press('Enter');
    await alice.message('for your signature').waitFor();
    await alice.details('fever curve.png');
    await alice.page.getByLabel('Stored file').waitFor();
    await expectToFit(alice, 'file-details');
    await alice.page.getByRole('button', { name: 'Close' }).click();
    await changeFile('Discharge letter.pdf');
    await bob.message('DECRYPTION_FAILED').getByText('Discharge letter.pdf').waitFor();
    await expectToFit(bob, 'files');
    await bob.details('Discharge letter.pdf');
    await bob.page.getByLabel('Stored file').scrollIntoViewIfNeeded();
    await expectToFit(bob, 'changed-file-details');
    await bob.page.getByRole('button', { name: 'Close' }).click();
  });

  test('comparing safety numbers, and what is marked then', async () => {
    const [mine, theirs] = [await compare(alice, 'Bob'), await compare(bob, 'Alice')];
    await expectToFit(alice, 'comparison');
    await choosePicture(mine, await codeOf(mine));
    await mine.getByText('This is another code').waitFor();
    await expectToFit(alice, 'comparison-of-others');
    await choosePicture(mine, await codeOf(theirs));
    await mine.getByText('They match').waitFor();
    await expectToFit(alice, 'comparison-match');
    await mine.getByRole('button', { name: 'Mark as compared' }).click();
    await mine.getByText('Their devices of now are marked.').waitFor();
    await theirs.getByRole('button', { name: 'Scan their code' }).click();
    await theirs.getByText('Open a picture of their code').waitFor();
    await expectToFit(bob, 'comparison-without-camera');
    await mine.getByRole('button', { name: 'Close' }).click();
    await alice.page.getByText('Safety number compared').waitFor();
    await expectToFit(alice, 'members-compared');
    await alice.page.getByRole('button', { name: 'Close' }).click();
    await bob.send('All ready for Thursday.');
    const details = await alice.details('All ready');
    await details.getByText('Safety number compared.').waitFor();
    await expectToFit(alice, 'details-compared');
    await details.getByRole('button', { name: 'Close' }).click();
  });

  test('the members, and somebody without a key', async () => {
    await alice.addMember('Dr Okafor-Lindqvist-of-the-very-long-name');
    await alice.page.getByLabel('Message to Ward 3').fill('Can you come?');
    await alice.page.keyboard.press('Enter');
    await alice.page.getByRole('alert').waitFor();
    await alice.page.getByRole('button', { name: 'Members' }).click();
    await alice.page.getByText('No key yet: nothing').waitFor();
    await expectToFit(alice, 'members');
  });
});

describe('fits, of one’s own devices', () => {
  test('the panel, and each question that it asks', async () => {
    await alice.page.getByRole('button', { name: 'Close' }).click();
    const panel = await devicesOf(alice);
    await expectToFit(alice, 'devices');
    const questions = [
      'Back up your keys',
      'Renew its keys',
      'Change your password',
      'Sign out and',
    ];
    for (const name of questions) {
      await panel.getByRole('button', { name }).click();
      await alice.page.getByRole('dialog').waitFor();
      await expectToFit(alice, `devices-${name.split(' ', 1)[0]?.toLowerCase() ?? ''}`);
      await alice.page.keyboard.press('Escape');
      await alice.page.getByRole('dialog').waitFor({ state: 'detached' });
    }
  });

  test('a new one, and removing it', async () => {
    const phone = await world.person('Alice');
    await phone.page
      .getByLabel('Name of this device')
      .fill('My-new-phone-of-a-very-long-name-'.repeat(2));
    await phone.signIn();
    await bannerOf(phone, 'You have another device').waitFor();
    await expectToFit(phone, 'another-device');
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: /^Remove… My-new/ }).waitFor();
    await expectToFit(alice, 'devices-unknown');
    await panel.getByRole('button', { name: 'Close' }).click();
    await bannerOf(alice, 'A new device signed in').waitFor();
    await expectToFit(alice, 'new-device');
    await bannerOf(alice, 'A new device').getByRole('button', { name: 'Yes' }).click();
    await bannerOf(alice, 'A new device').waitFor({ state: 'detached' });
    const again = await devicesOf(alice);
    await again.getByRole('button', { name: /^Remove… My-new/ }).click();
    const dialog = dialogOf(alice, /^Remove My-new/);
    await dialog.getByLabel('It was lost or stolen').check();
    await expectToFit(alice, 'device-lost');
    await dialog.getByRole('button', { name: 'Remove this device' }).click();
    await again.getByText('Device removed').waitFor();
    await expectToFit(alice, 'device-removed');
    await phone.page.reload();
    await phone.signIn();
    await bannerOf(phone, 'This device was removed').waitFor();
    await expectToFit(phone, 'this-device-removed');
  });

  test('one that is restored from a backup', async () => {
    await backUp(alice, PASSWORD);
    await expectToFit(alice, 'backed-up');
    const tablet = await world.person('Alice');
    await tablet.submit('sign in', 'Alice', PASSWORD);
    await tablet.page.getByRole('heading', { name: 'Restore your keys?' }).waitFor();
    await expectToFit(tablet, 'restore');
    await tablet.page.getByRole('button', { name: 'Restore your keys' }).click();
    await bannerOf(tablet, 'Your keys were restored').waitFor();
    await expectToFit(tablet, 'restored');
  });
});

async function talk(): Promise<void> {
  await alice.createChannel('Ward 3');
  await alice.addMember('Bob');
  await bob.open('Ward 3');
  await alice.send('Good morning Bob. How is Mrs Lindqvist?');
  await bob.message('Good morning').waitFor();
  await bob.send('Much better. She slept through the night.');
  await bob.send('Down to 37.2 since six, and she had breakfast.');
  await alice.message('Down to').waitFor();
  await alice.send('Good. Did the lab call about the culture?');
  await bob.message('culture').waitFor();
  await bob.send('They did: negative. I put the report on your desk.');
  await alice.message('negative').waitFor();
  await alice.send('Then let us plan for Thursday.');
  await bob.message('Thursday').waitFor();
  await bob.createChannel('Night handover');
  await bob.addMember('Alice');
  await bob.send('All quiet so far.');
  await alice.page.getByLabel('unread messages').waitFor();
}

/** Twilio changes one message and makes another one up. */
async function attack(): Promise<void> {
  const { inspect, tamper } = world.emulator;
  const channel = inspect.channels().find((one) => one.friendlyName === 'Ward 3')?.sid ?? '';
  const last = inspect.messages(channel).at(-1);
  const body = `${last?.body.slice(0, -3) ?? ''}AAA`;
  tamper.inject(channel, { author: 'Bob', body });
  tamper.inject(channel, { author: 'Bob', body: 'Call me on this number' });
  await alice.message('DECRYPTION_FAILED').waitFor();
  await alice.message('PLAINTEXT').waitFor();
}

/** Twilio changes a file before Bob, who comes back later, loads it. */
async function changeFile(name: string): Promise<void> {
  const { inspect, tamper } = world.emulator;
  for (const { sid, bytes, size } of inspect.media()) {
    if (size < 48_213 || size > 60_000) continue;
    tamper.rewriteMedia(sid, {
      bytes: Uint8Array.from(bytes, (byte, at) => byte ^ Number(at === 9)),
    });
  }
  await bob.page.reload();
  await bob.signIn();
  await bob.open('Ward 3');
  await bob.message(name).waitFor();
}

test('no page reported an error or a violated policy', () => {
  expect(world.complaints()).toEqual([]);
});
