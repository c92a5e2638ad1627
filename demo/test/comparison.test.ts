/** Two people compare safety numbers, by voice, picture and camera; what is marked then, and what not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchOptions } from '../../chromium.ts';
import { choosePicture, codeOf, compare, digitsOf } from './support/comparison.ts';
import { openPerson, type Person } from './support/person.ts';
import { drawnPicture } from './support/picture.ts';
import { videoOf } from './support/video.ts';
import { startWorld, type World } from './support/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'camera-'));
const VIDEO = join(folder, 'camera.y4m');

const complaints: string[] = [];
let world: World;
let withCamera: Browser;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  const { executablePath, args } = await launchOptions();
  const camera = [
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    // Read when the camera is opened, so that it can be written when there is something to show.
    `--use-file-for-fake-video-capture=${VIDEO}`,
  ];
  withCamera = await chromium.launch({ executablePath, args: [...args, ...camera] });
  alice = await world.person('Alice', { permissions: ['clipboard-read', 'clipboard-write'] });
  bob = await openPerson(withCamera, { name: 'Bob', url: world.url, complaints });
  await Promise.all([alice.signUp(), bob.signUp()]);
  await alice.createChannel('Ward 3');
  await alice.addMember('Bob');
  await bob.open('Ward 3');
});

afterAll(async () => {
  await withCamera.close();
  await world.close();
  rmSync(folder, { recursive: true });
});

async function closeAll({ page }: Person): Promise<void> {
  const close = page.getByRole('button', { name: 'Close', exact: true });
  await close.click();
  await page.getByRole('complementary', { name: 'Members' }).waitFor();
  await close.click();
  await page.getByRole('complementary').waitFor({ state: 'detached' });
}

describe('two people who compare', () => {
  test('see the same 60 digits, which can be copied', async () => {
    const [mine, theirs] = [await compare(alice, 'Bob'), await compare(bob, 'Alice')];
    const digits = await digitsOf(mine);
    expect(digits.map((group) => group.trim())).toHaveLength(12);
    expect(await digitsOf(theirs)).toEqual(digits);
    await mine.getByText('Covers one device of yours and one device of Bob.').waitFor();
    await mine.getByRole('button', { name: 'Copy the number' }).click();
    await mine.getByText('Copied.').waitFor();
    const copied = await alice.page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/^\d{5}( \d{5}){11}$/);
    expect(copied).toBe(digits.map((group) => group.trim()).join(' '));
  });

  test('are told when the picture has no code, or another one', async () => {
    const panel = alice.page.getByRole('complementary', { name: 'Compare safety numbers' });
    await choosePicture(panel, (await drawnPicture(alice.page, 'curve.png')).buffer);
    await panel.getByText('There is no code to be seen in this picture.').waitFor();
    await choosePicture(panel, Buffer.from('no picture'));
    await panel.getByText('There is no code to be seen in this picture.').waitFor();
    // Her own: nothing is compared by it.
    await choosePicture(panel, await codeOf(panel));
    await panel.getByText('This is another code').waitFor();
    expect(await panel.getByRole('button', { name: /[Mm]ark as compared/ }).count()).toBe(0);
  });

  test('mark each other: one by a picture of the other’s screen', async () => {
    const panel = alice.page.getByRole('complementary', { name: 'Compare safety numbers' });
    const theirs = bob.page.getByRole('complementary', { name: 'Compare safety numbers' });
    await choosePicture(panel, await codeOf(theirs));
    await panel.getByText('They match').waitFor();
    await panel.getByRole('button', { name: 'Mark as compared' }).click();
    await panel.getByText('Their devices of now are marked.').waitFor();
  });

  test('and the other by the camera; Escape stops it and leaves the panel', async () => {
    const panel = bob.page.getByRole('complementary', { name: 'Compare safety numbers' });
    const theirs = alice.page.getByRole('complementary', { name: 'Compare safety numbers' });
    // First a camera that sees no code.
    const curve = await drawnPicture(alice.page, 'curve.png');
    writeFileSync(VIDEO, await videoOf(alice.page, curve.buffer));
    await panel.getByRole('button', { name: 'Scan their code' }).click();
    const seen = panel.getByLabel('Picture of the camera');
    await expect
      .poll(() => seen.evaluate((video) => video instanceof HTMLVideoElement && video.videoWidth))
      .toBe(640);
    await bob.page.keyboard.press('Escape');
    await seen.waitFor({ state: 'detached' });
    const scan = panel.getByRole('button', { name: 'Scan their code' });
    await expect
      .poll(() => scan.evaluate((button) => button === document.activeElement))
      .toBe(true);

    writeFileSync(VIDEO, await videoOf(alice.page, await codeOf(theirs)));
    await bob.page.keyboard.press('Enter');
    await panel.getByText('They match').waitFor();
    await seen.waitFor({ state: 'detached' });
    await panel.getByRole('button', { name: 'Mark as compared' }).click();
    await panel.getByText('Their devices of now are marked.').waitFor();
    await closeAll(bob);
    await closeAll(alice);
  });
});

describe('what was compared', () => {
  test('is marked among the members, and in the details of messages', async () => {
    await bob.send('This is really me.');
    const panel = await alice.details('really me');
    await panel.getByText('Safety number compared.').waitFor();
    await panel.getByText('You compared this very key with the sender').waitFor();
    await panel.getByRole('button', { name: 'Close' }).click();
    await alice.page.getByRole('button', { name: 'Members' }).click();
    const member = alice.page.getByRole('listitem').filter({ hasText: 'Bob' });
    await member.getByText('Safety number compared').waitFor();
    await alice.page.keyboard.press('Escape');
    const theirs = await bob.details('really me');
    expect(await theirs.getByText('Safety number compared').count()).toBe(0);
  });

  test('does not reach a second device, which is compared anew', async () => {
    const phone = await world.person('Bob');
    await phone.signIn();
    await phone.open('Ward 3');
    await phone.send('From my new phone.');
    const panel = await alice.details('new phone');
    await panel.getByText('Key changed.').waitFor();
    await panel.getByRole('button', { name: 'Close' }).click();
    await alice.page.getByRole('button', { name: 'Members' }).click();
    const member = alice.page.getByRole('listitem').filter({ hasText: 'Bob' });
    await member.getByText('Has a device that you did not compare').waitFor();
    await alice.page.keyboard.press('Escape');

    // He vouches for the new phone on the old one; before that it shows no number.
    const banner = bob.page
      .getByRole('status')
      .filter({ hasText: 'A new device signed in as you' });
    await bob.page.getByRole('button', { name: 'Close' }).click();
    await bob.send('Old one here.');
    await bob.page.getByRole('button', { name: 'Members' }).click();
    await bob.page.getByRole('button', { name: 'Compare safety numbers with Alice' }).click();
    const theirs = bob.page.getByRole('complementary', { name: 'Compare safety numbers' });
    await theirs.getByText('There is a device in your name').waitFor();
    await banner.getByRole('button', { name: 'Yes, it is mine' }).click();
    await banner.waitFor({ state: 'detached' });
    await theirs.getByRole('button', { name: 'Try again' }).click();
    const code = await codeOf(theirs);

    await alice.page
      .getByRole('status')
      .filter({ hasText: 'The key of Bob changed' })
      .getByRole('button', { name: 'Compare safety numbers' })
      .click();
    const mine = alice.page.getByRole('complementary', { name: 'Compare safety numbers' });
    await mine.getByText('Covers one device of yours and 2 devices of Bob.').waitFor();
    await choosePicture(mine, code);
    await mine.getByRole('button', { name: 'Mark as compared' }).click();
    await mine.getByText('Their devices of now are marked.').waitFor();
    // Compared is more than acknowledged.
    await alice.page.getByText('The key of Bob changed').waitFor({ state: 'detached' });
    await closeAll(alice);
    const details = await alice.details('new phone');
    await details.getByText('Safety number compared.').waitFor();
    await details.getByRole('button', { name: 'Close' }).click();
  });

  test('is not a device that appears while the number is on the screen', async () => {
    const panel = await compare(alice, 'Bob');
    const before = await digitsOf(panel);
    const tablet = await world.person('Bob');
    await tablet.signIn();
    await tablet.page.close();
    expect(await panel.getByText('Their devices of now are marked.').count()).toBe(1);
    await closeAll(alice);
    const again = await compare(alice, 'Bob');
    expect(await digitsOf(again)).not.toEqual(before);
    expect(await again.getByText('Their devices of now are marked.').count()).toBe(0);
    await choosePicture(again, await codeOf(bob.page.getByRole('complementary')));
    await again.getByText('The devices differ').waitFor();
    expect(await again.getByRole('button', { name: /[Mm]ark as compared/ }).count()).toBe(0);
  });
});

test('no page reported an error or a violated policy', () => {
  expect([...world.complaints(), ...complaints]).toEqual([]);
});
