/** What people do every day, in two real browsers against a running demo. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, type Person } from './support/person.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('Alice'), world.person('Bob')]);
  await Promise.all([alice.signUp(), bob.signUp()]);
  await alice.createChannel('Ward 3');
  await alice.addMember('Bob');
  await bob.open('Ward 3');
});

afterAll(() => world.close());

describe('a conversation', () => {
  // First of all: the SDK tells of typing once in five seconds.
  test('shows who is typing', async () => {
    await bob.page.getByLabel('Message to Ward 3').pressSequentially('Hm');
    await alice.page.getByText('Bob is typing…').waitFor();
    await bob.page.getByLabel('Message to Ward 3').clear();
  });

  test('goes both ways, verified', async () => {
    await alice.send('How is the patient in room twelve?');
    await bob.message('room twelve').waitFor();
    await bob.send('Much better today.\nShe slept well.');
    await alice.message('Much better today.').waitFor();

    const panel = await alice.details('Much better');
    await panel.getByText('Signed by Bob and unchanged.').waitFor();
    await panel.getByText(/Chrome on /).waitFor();
    await panel.getByText('Known key.').waitFor();
  });

  test('is not readable for Twilio', async () => {
    const panel = await alice.details('room twelve');
    await panel.getByText(/^e2e1\./).waitFor();
    const shown = await panel.getByLabel('Stored text').innerText();
    const channel = world.emulator.inspect.channels()[0]?.sid ?? '';
    expect(shown.replace(/\s/g, '')).toBe(world.emulator.inspect.messages(channel)[0]?.body);
    const cardId = await panel.locator('code[title]').getAttribute('title');
    expect(cardId).toMatch(/^[0-9a-f]{64}$/);

    const dump = world.emulator.inspect.dump();
    expect(dump).toContain('Ward 3');
    for (const secret of ['patient', 'twelve', 'slept', cardId ?? '', PASSWORD]) {
      expect(dump).not.toContain(secret);
    }
  });

  test('marks what was not read', async () => {
    await alice.createChannel('Ward 4');
    await alice.addMember('Bob');
    await alice.send('Over here.');
    const item = bob.page.getByRole('button', { name: 'Ward 4' });
    const dot = item.getByLabel('unread messages');
    await dot.waitFor();
    await item.click();
    await bob.message('Over here.').waitFor();
    await dot.waitFor({ state: 'detached' });
    await bob.open('Ward 3');
    expect(await dot.count()).toBe(0);
  });

  test('is shown from its end, scrolls, and loads older messages on demand', async () => {
    await alice.createChannel('Long');
    await alice.addMember('Bob');
    for (let count = 1; count <= 32; count += 1) await alice.send(`Number ${count}.`);
    await bob.open('Long');
    await bob.message('Number 32.').waitFor();
    expect(await bob.message('Number 2.').count()).toBe(0);
    const list = bob.page.locator('.messages');
    const isSeen = async (text: string): Promise<boolean> => {
      const [box, frame] = [await bob.message(text).boundingBox(), await list.boundingBox()];
      if (!box || !frame) return false;
      return box.y >= frame.y && box.y + box.height <= frame.y + frame.height;
    };
    expect(await isSeen('Number 32.')).toBe(true);
    expect(await isSeen('Number 3.')).toBe(false);
    await bob.message('Number 3.').scrollIntoViewIfNeeded();
    expect(await isSeen('Number 3.')).toBe(true);
    await bob.page.getByRole('button', { name: 'Load older messages' }).click();
    await bob.message('Number 1.').waitFor();
    const bodies = await bob.page.locator('.body').allInnerTexts();
    expect(bodies).toEqual(Array.from({ length: 32 }, (_, place) => `Number ${place + 1}.`));
  });

  test('survives a broken connection', async () => {
    await bob.open('Ward 3');
    await alice.open('Ward 3');
    world.emulator.tamper.disconnect('Bob');
    await bob.page.getByText('Reconnecting…').waitFor();
    await bob.page.getByText('Reconnecting…').waitFor({ state: 'detached' });
    await alice.send('Still there?');
    await bob.message('Still there?').waitFor();
  });
});

describe('the session', () => {
  test('ends with a reload; the password brings the history back', async () => {
    await alice.page.reload();
    await alice.page.getByRole('button', { name: 'Sign in' }).waitFor();
    const kept = await alice.page.evaluate(() => JSON.stringify([localStorage, sessionStorage]));
    expect(kept).not.toMatch(/patient|slept|battery/);

    await alice.signIn();
    await alice.open('Ward 3');
    await alice.message('How is the patient in room twelve?').waitFor();
    await alice.message('Much better today.').waitFor();
    expect(await alice.page.locator('.message:not(.verified)').count()).toBe(0);
    await alice.send('Back again.');
    await bob.message('Back again.').waitFor();
  });

  test('ends with signing out', async () => {
    await alice.page.getByRole('button', { name: 'Sign out' }).click();
    await alice.page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await alice.page.getByText('room twelve').count()).toBe(0);
  });
});

describe('the keyboard alone', () => {
  test('signs up, makes a channel, writes, reads details and leaves', async () => {
    const carol = await world.person('Carol');
    const { keyboard } = carol.page;
    const tabTo = async (name: RegExp): Promise<void> => {
      for (let count = 0; count < 25; count += 1) {
        await keyboard.press('Tab');
        const focused = carol.page.locator(':focus');
        const label = await focused.evaluate(
          (element) =>
            element.getAttribute('aria-label') ??
            (element instanceof HTMLInputElement ? element.labels?.[0]?.innerText : null) ??
            element.textContent,
        );
        if (name.test(label)) return;
      }
      throw new Error(`Tab does not reach ${String(name)}`);
    };

    // The name has the focus from the start; the mode is before it.
    await carol.page.locator('input:focus').waitFor();
    await keyboard.press('Shift+Tab');
    await keyboard.press('ArrowRight');
    await tabTo(/^Name$/);
    await keyboard.type('Carol');
    await tabTo(/^Password$/);
    await keyboard.type(PASSWORD);
    await keyboard.press('Enter');
    await carol.page.getByRole('button', { name: 'Sign out' }).waitFor();

    await tabTo(/^New channel$/);
    await keyboard.type('Notes');
    await keyboard.press('Enter');
    await carol.page.getByRole('heading', { name: 'Notes' }).waitFor();

    // The composer takes the focus when a channel opens.
    await keyboard.type('First line');
    await keyboard.press('Shift+Enter');
    await keyboard.type('second line');
    await keyboard.press('Enter');
    await carol.message('First line\nsecond line').waitFor();
    await keyboard.type('Another');
    await keyboard.press('Enter');
    await carol.message('Another').waitFor();

    await keyboard.press('Shift+Tab');
    await keyboard.press('ArrowUp');
    await keyboard.press('Enter');
    const panel = carol.page.getByRole('complementary', { name: 'Message details' });
    await panel.getByText('First line').waitFor();
    await keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    const state = carol.message('First line').getByRole('button');
    expect(await state.evaluate((button) => button === document.activeElement)).toBe(true);

    await keyboard.press('Shift+Tab');
    await keyboard.press('Enter');
    await tabTo(/Leave channel/);
    await keyboard.press('Enter');
    await carol.page.getByText('No channels yet.').waitFor();
  });
});

test('no page reported an error or a violated policy', () => {
  expect(world.complaints()).toEqual([]);
});
