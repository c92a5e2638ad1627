/** A Twilio that changes, relabels, copies and makes up messages: the page says what is wrong. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './support/person.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
let alice: Person;
let bob: Person;
/** The channels' sids by name. */
let channels: ReadonlyMap<string, string>;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('Alice'), world.person('Bob')]);
  await Promise.all([alice.signUp(), bob.signUp()]);
  for (const name of ['Surgery', 'Kitchen']) {
    await alice.createChannel(name);
    await alice.addMember('Bob');
  }
  await Promise.all([alice.open('Surgery'), bob.open('Surgery')]);
  const stored = world.emulator.inspect.channels();
  channels = new Map(stored.map(({ sid, friendlyName }) => [friendlyName ?? '', sid]));
});

afterAll(() => world.close());

/** Bob sends a text, and Alice has seen it; gives the place in the channel. */
async function delivered(text: string): Promise<{ channel: string; index: number }> {
  await bob.send(text);
  await alice.message(text).waitFor();
  const channel = sidOf('Surgery');
  return { channel, index: world.emulator.inspect.messages(channel).at(-1)?.index ?? -1 };
}

function sidOf(name: string): string {
  return channels.get(name) ?? '';
}

function bodyAt({ channel, index }: { channel: string; index: number }): string {
  return world.emulator.inspect.messages(channel).find((one) => one.index === index)?.body ?? '';
}

/** The details of the rejected message, which must say these words. */
async function expectRejected(code: string, words: string | RegExp): Promise<void> {
  const panel = await alice.details(code);
  await panel.getByText(code, { exact: true }).waitFor();
  await panel.getByText(words).waitFor();
  await panel.getByText('not proven').waitFor();
  expect(await alice.message(code).getAttribute('class')).toContain('rejected');
}

describe('rejected, with the reason', () => {
  test('a flipped byte', async () => {
    const place = await delivered('Give 5 mg.');
    const body = bodyAt(place);
    const flipped = body.slice(0, -4) + (body.at(-4) === 'A' ? 'B' : 'A') + body.slice(-3);
    world.emulator.tamper.rewrite(place.channel, place.index, { body: flipped });
    await alice.message('DECRYPTION_FAILED').waitFor();
    expect(await alice.message('Give 5 mg.').count()).toBe(0);
    await expectRejected('DECRYPTION_FAILED', /one flipped bit is noticed/);
  });

  test('a message under another name', async () => {
    const place = await delivered('I approve.');
    world.emulator.tamper.rewrite(place.channel, place.index, { author: 'Alice' });
    await alice.message('WRONG_AUTHOR').waitFor();
    expect(await alice.message('I approve.').count()).toBe(0);
    await expectRejected('WRONG_AUTHOR', /not the one who signed it/);
  });

  test('a message of another channel', async () => {
    await bob.open('Kitchen');
    await bob.send('Throw it away.');
    await bob.open('Surgery');
    world.emulator.tamper.copy(
      { channel: sidOf('Kitchen'), index: 0 },
      { channel: sidOf('Surgery') },
    );
    await alice.message('WRONG_CHANNEL').waitFor();
    expect(await alice.message('Throw it away.').count()).toBe(0);
    await expectRejected('WRONG_CHANNEL', /written for another channel/);
  });

  test('a text that Twilio made up, with markup in it', async () => {
    const body = '<img src=x onerror=alert(1)> Call this number';
    world.emulator.tamper.inject(sidOf('Surgery'), { author: 'Bob', body });
    await alice.message('PLAINTEXT').waitFor();
    expect(await alice.page.getByText('Call this number').count()).toBe(0);
    await expectRejected('PLAINTEXT', /readable text into this encrypted channel/);
    const panel = alice.page.getByRole('complementary');
    // Only where it says what Twilio stores, and as text.
    await panel.getByText(body).waitFor();
    expect(await panel.locator('img').count()).toBe(0);
  });

  test('a message that comes again in place of another', async () => {
    const first = await delivered('Left arm.');
    const second = await delivered('Right arm.');
    world.emulator.tamper.rewrite(second.channel, second.index, { body: bodyAt(first) });
    await alice.message('Right arm.').waitFor({ state: 'detached' });
    expect(await alice.message('Left arm.').count()).toBe(1);
  });
});

describe('Twilio’s own claims', () => {
  test('a date that is none does not break the page', async () => {
    const place = await delivered('Tuesday.');
    world.emulator.tamper.rewrite(place.channel, place.index, { dateCreated: 'never' });
    await delivered('Still working.');
    await alice.message('Tuesday.').waitFor();
  });

  test('a member whom nobody added gets nothing before there is a card', async () => {
    world.emulator.tamper.addMember(sidOf('Surgery'), 'Eve');
    await alice.page.getByRole('button', { name: 'Members: 3' }).waitFor();
    await alice.page.getByLabel('Message to Surgery').fill('Not for Eve.');
    await alice.page.keyboard.press('Enter');
    await alice.page
      .getByRole('alert')
      .getByText(/Eve has no key yet/)
      .waitFor();
    expect(await alice.page.getByLabel('Message to Surgery').inputValue()).toBe('Not for Eve.');
  });
});

test('no page reported an error or a violated policy', () => {
  expect(world.complaints()).toEqual([]);
});
