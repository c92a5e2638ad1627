/** What goes wrong, and that the page says so in words and loses nothing. */
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
});

afterAll(() => world.close());

async function expectAlert({ page }: Person, words: string | RegExp): Promise<void> {
  await page.getByRole('alert').getByText(words).waitFor();
}

describe('signing in', () => {
  test('refuses a wrong password and an unknown name, and does not say which', async () => {
    const [one, two] = await Promise.all([world.person('Eve'), world.person('Mallory')]);
    await Promise.all([
      one.submit('sign in', 'Alice', 'not her password'),
      two.submit('sign in', 'Nobody', PASSWORD),
    ]);
    for (const person of [one, two]) {
      await expectAlert(person, 'Wrong password, or nobody signed up under this name.');
    }
    // The form keeps what was typed, for another try.
    expect(await one.page.getByLabel('Name', { exact: true }).inputValue()).toBe('Alice');
    await Promise.all([one.page.context().close(), two.page.context().close()]);
  });

  test('refuses a name that is taken, and one with invisible characters', async () => {
    const [one, two] = await Promise.all([world.person('Eve'), world.person('Mallory')]);
    await Promise.all([
      one.submit('sign up', 'Alice', PASSWORD),
      two.submit('sign up', 'Al\u200bice', PASSWORD),
    ]);
    await expectAlert(one, /This name is taken/);
    await expectAlert(two, /invisible characters/);
    await two.page.context().close();
    await one.page.context().close();
  });

  test('says so when the server does not answer', async () => {
    const person = await world.person('Eve');
    await person.page.route('**/v1/sessions', (route) => route.abort());
    await person.submit('sign in', 'Alice', PASSWORD);
    await expectAlert(person, /server cannot be reached/);
    await person.page.context().close();
  });

  test('says so when the browser has no place for the key', async () => {
    const person = await world.person('Dora');
    await person.page.addInitScript(() => {
      Object.defineProperty(window, 'indexedDB', {
        value: {
          open: () => {
            throw new Error();
          },
        },
      });
    });
    await person.page.reload();
    await person.submit('sign up', 'Dora', PASSWORD);
    await expectAlert(person, /browser’s storage cannot be used/);
    await person.page.context().close();
  });
});

describe('sending', () => {
  test('is refused for a member without a key; the text stays', async () => {
    await alice.createChannel('Night shift');
    // Twilio makes whoever is added, so it has no objection to a name that nobody has.
    await alice.addMember('Carol');
    const field = alice.page.getByLabel('Message to Night shift');
    await field.fill('Who is on call?');
    await field.press('Enter');
    await expectAlert(alice, /Carol has no key yet/);
    expect(await field.inputValue()).toBe('Who is on call?');

    await alice.page.getByRole('button', { name: 'Members' }).click();
    await alice.page.getByText('No key yet: nothing').waitFor();
    await alice.page.getByRole('button', { name: 'Remove Carol' }).click();
    await alice.page.getByRole('button', { name: 'Remove Carol' }).waitFor({ state: 'detached' });
    await alice.page.getByRole('button', { name: 'Close' }).click();
    await field.press('Enter');
    await alice.message('Who is on call?').waitFor();
    expect(await field.inputValue()).toBe('');
  });

  test('is refused over Twilio’s limit; the text stays', async () => {
    const field = alice.page.getByLabel('Message to Night shift');
    const long = 'word '.repeat(8000);
    await field.fill(long);
    await field.press('Enter');
    await expectAlert(alice, /too long/);
    expect(await field.inputValue()).toBe(long);
    await field.clear();
  });

  test('is refused by Twilio in words; the text stays', async () => {
    const stop = world.emulator.tamper.onRequest(({ method, path }) =>
      method === 'POST' && path.endsWith('/Messages')
        ? { when: 'before', then: 'fail', status: 500 }
        : undefined,
    );
    const field = alice.page.getByLabel('Message to Night shift');
    await field.fill('Once more');
    await field.press('Enter');
    await alice.page.getByRole('alert').waitFor();
    expect(await field.inputValue()).toBe('Once more');
    stop();
    await field.press('Enter');
    await alice.message('Once more').waitFor();
  });
});

describe('members', () => {
  test('are added only once', async () => {
    await alice.addMember('Bob');
    await alice.page.getByRole('button', { name: 'Members' }).click();
    await alice.page.getByLabel('Add a member').fill('Bob');
    await alice.page.getByRole('button', { name: 'Add', exact: true }).click();
    await expectAlert(alice, 'This person is a member already.');
    await alice.page.getByRole('button', { name: 'Close' }).click();
  });

  test('who come later cannot read what was before, and are told why', async () => {
    await bob.open('Night shift');
    await bob.message('SENT_BEFORE_JOIN').first().waitFor();
    const panel = await bob.details('SENT_BEFORE_JOIN');
    await panel.getByText(/you were not one of them/).waitFor();
    await panel.getByRole('button', { name: 'Close' }).click();
  });
});

describe('a new device', () => {
  let phone: Person;

  test('is announced and marked', async () => {
    await alice.send('Hello Bob.');
    await bob.message('Hello Bob.').waitFor();
    phone = await world.person('Bob', { viewport: { width: 390, height: 844 } });
    await phone.signIn();
    await phone.open('Night shift');
    await phone
      .message(/SENT_BEFORE_(DEVICE|JOIN)/)
      .first()
      .waitFor();
    await phone.send('From my phone.');
    await phone.page.getByText('You have another device:').waitFor();

    await alice.page.getByText('The key of Bob changed.').waitFor();
    const panel = await alice.details('From my phone.');
    await panel.getByText(/a new device, or an impostor/).waitFor();
  });

  test('in place of the known one, which a server hides, holds messages back', async () => {
    const route = '**/v1/cards/search';
    await alice.page.route(route, async (intercepted) => {
      const response = await intercepted.fetch();
      const newest = (name: string, value: unknown): unknown =>
        name === 'entries' && Array.isArray(value) ? value.slice(-1) : value;
      const body = JSON.stringify(JSON.parse(await response.text(), newest));
      await intercepted.fulfill({ response, body });
    });
    // What the page knew of the cards ends with it.
    await alice.page.reload();
    await alice.signIn();
    await alice.open('Night shift');
    const field = alice.page.getByLabel('Message to Night shift');
    await field.fill('Which Bob is this?');
    await field.press('Enter');
    await expectAlert(alice, /does not prove what it says/);
    expect(await field.inputValue()).toBe('Which Bob is this?');
    await alice.page.unrouteAll({ behavior: 'wait' });
    await field.press('Enter');
    await alice.message('Which Bob is this?').waitFor();
  });

  test('gets messages when it is acknowledged', async () => {
    const panel = await alice.details('From my phone.');
    await panel.getByText(/a new device, or an impostor/).waitFor();
    await alice.page
      .getByRole('button', { name: /^Acknowledge/ })
      .first()
      .click();
    await panel.getByText('Known key.').waitFor();
    expect(await alice.page.getByText('The key of Bob changed.').count()).toBe(0);
    await alice.send('Both of you?');
    await phone.message('Both of you?').waitFor();
  });
});

test('no page reported an error or a violated policy', () => {
  expect(world.complaints()).toEqual([]);
});
