/** One person and several devices: confirmed, removed, restored from a backup, and what others notice. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backUp, bannerOf, devicesOf, dialogOf } from './support/devices.ts';
import { PASSWORD, type Person } from './support/person.ts';
import { startWorld, type World } from './support/world.ts';

const NEW_PASSWORD = 'battery staple horse correct';
const LAST_PASSWORD = 'staple correct battery horse';

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
  await bob.send('Good morning.');
  await alice.message('Good morning.').waitFor();
});

afterAll(() => world.close());

/** Another browser of somebody, with this name for it. */
async function signInOn(device: string, name: string): Promise<Person> {
  const person = await world.person(name);
  await person.page.getByLabel('Name of this device').fill(device);
  await person.signIn();
  return person;
}

/** What a browser tells a page when somebody comes back to its tab. */
async function comeBack({ page }: Person): Promise<void> {
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
}

async function closePanel({ page }: Person): Promise<void> {
  await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('complementary').waitFor({ state: 'detached' });
}

describe('another device of one’s own', () => {
  let phone: Person;

  test('is asked about on both, and confirmed', async () => {
    phone = await signInOn('Alice’s phone', 'Alice');
    await comeBack(alice);
    const banner = bannerOf(alice, 'A new device signed in as you: Alice’s phone');
    await banner.getByRole('button', { name: 'Yes, it is mine' }).click();
    await banner.waitFor({ state: 'detached' });
    const other = bannerOf(phone, 'You have another device');
    await other.getByRole('button', { name: 'Yes, it is mine' }).click();
    await other.waitFor({ state: 'detached' });
  });

  test('is trusted by others without a word, and both read what they write', async () => {
    await phone.open('Ward 3');
    await phone.send('From my phone.');
    await bob.message('From my phone.').waitFor();
    const details = await bob.details('From my phone.');
    await details.getByText('Known key.').waitFor();
    await details.getByText('Alice’s phone').waitFor();
    await closePanel(bob);
    await bob.send('To both of you.');
    await Promise.all([
      alice.message('To both of you.').waitFor(),
      phone.message('To both of you.').waitFor(),
    ]);
    await alice.message('From my phone.').waitFor();
    expect(await bob.page.getByText('The key of Alice changed').count()).toBe(0);
  });

  test('that was stolen is removed; it says so, and gets and sends nothing any more', async () => {
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: 'Remove… Alice’s phone' }).click();
    const dialog = dialogOf(alice, 'Remove Alice’s phone?');
    await alice.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    // Only the question is gone, and the focus is where it was.
    await alice.page.keyboard.press('Enter');
    await dialog.getByLabel('It was lost or stolen').check();
    await dialog.getByLabel('Since when?').fill('2020-01-01');
    await dialog.getByRole('button', { name: 'Remove this device' }).click();
    await panel.getByText('Device removed').waitFor();
    expect(await panel.getByRole('button', { name: 'Remove… Alice’s phone' }).count()).toBe(0);
    await panel.getByText(/^Earlier devices and keys/).click();
    await panel.getByText(/^Removed, lost or stolen/).waitFor();
    await closePanel(alice);

    // What others' pages know of her devices they ask for again after some minutes, or anew.
    await bob.page.reload();
    await bob.signIn();
    await bob.open('Ward 3');
    await bob.send('Not for thieves.');
    await alice.message('Not for thieves.').waitFor();
    await phone.message('NOT_ADDRESSED').last().waitFor();
    await bannerOf(phone, 'This device was removed').waitFor();
    const own = await devicesOf(phone);
    expect(await own.getByRole('button', { name: /^Remove…|^Renew/ }).count()).toBe(0);
    await closePanel(phone);
    expect(await phone.message('Not for thieves.').count()).toBe(0);
    await phone.page.getByLabel('Message to Ward 3').fill('I am Alice.');
    await phone.page.keyboard.press('Enter');
    await phone.page.getByRole('alert').getByText('This device was revoked').waitFor();
  });

  test('that is not one’s own is removed from the question', async () => {
    const stranger = await signInOn('Cheap laptop', 'Alice');
    await comeBack(alice);
    const banner = bannerOf(alice, 'A new device signed in as you: Cheap laptop');
    await banner.getByRole('button', { name: 'No' }).click();
    const panel = alice.page.getByRole('complementary', { name: 'Your devices' });
    await panel.getByRole('button', { name: 'Remove… Cheap laptop' }).click();
    const dialog = dialogOf(alice, 'Remove Cheap laptop?');
    expect(await dialog.getByLabel('It is not mine').isChecked()).toBe(true);
    await dialog.getByRole('button', { name: 'Remove this device' }).click();
    await panel.getByText('knows your password, and could open your backup').waitFor();
    await banner.waitFor({ state: 'detached' });
    await closePanel(alice);
    await stranger.page.context().close();
  });
});

describe('a backup', () => {
  let tablet: Person;

  test('brings the history to a new device, which others trust without a word', async () => {
    await backUp(alice, PASSWORD);
    await closePanel(alice);
    tablet = await world.person('Alice');
    await tablet.page.getByLabel('Name of this device').fill('Alice’s tablet');
    await tablet.submit('sign in', 'Alice', PASSWORD);
    await tablet.page.getByRole('button', { name: 'Restore your keys' }).click();
    const restored = bannerOf(tablet, 'Your keys were restored. The backup was made');
    await restored.waitFor();
    // Of the devices that were removed it has no keys.
    await restored.getByRole('listitem').filter({ hasText: 'Alice’s phone' }).waitFor();
    expect(await restored.getByText('Chrome on Linux').count()).toBe(0);
    await restored.getByRole('button', { name: 'OK' }).click();
    await tablet.open('Ward 3');
    await tablet.message('Good morning.').waitFor();
    await tablet.message('Not for thieves.').waitFor();
    await tablet.send('Back again.');
    await bob.message('Back again.').waitFor();
    expect(await bob.page.getByText('The key of Alice changed').count()).toBe(0);
    // On the device whose keys these are she is asked: whoever knows the password can do the same.
    await alice.message('Back again.').waitFor();
    const banner = bannerOf(alice, 'A new device signed in as you: Alice’s tablet');
    await banner.getByRole('button', { name: 'Yes, it is mine' }).click();
    await banner.waitFor({ state: 'detached' });
    // Its own keys are new.
    await bannerOf(tablet, 'Your backup lacks the keys of this device').waitFor();
    await backUp(tablet, PASSWORD);
    await bannerOf(tablet, 'Your backup lacks').waitFor({ state: 'detached' });
  });

  test('is refused with a wrong password, and nothing is lost', async () => {
    const panel = await devicesOf(alice);
    await panel.getByText('Another device of yours changed it since').waitFor();
    await panel.getByRole('button', { name: 'Back up again' }).click();
    const dialog = dialogOf(alice, 'Back up your keys');
    await dialog.getByLabel('Your password').fill('not her password');
    await dialog.getByRole('button', { name: 'Back up' }).click();
    await dialog.getByRole('alert').getByText('This is not your password').waitFor();
    // It is this device's that is wrong.
    expect(await dialog.getByLabel('Password of the backup').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await closePanel(alice);
  });

  test('lacks the keys that were renewed, and says so', async () => {
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: 'Renew its keys' }).click();
    const dialog = dialogOf(alice, 'Renew the keys of this device');
    await dialog.getByLabel('Your password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Renew keys' }).click();
    await panel.getByText('Others trust them without being asked').waitFor();
    await panel.getByText('The backup lacks the keys that this device has now').waitFor();
    await closePanel(alice);
    await alice.send('By new keys.');
    const details = await bob.details('By new keys.');
    await details.getByText('Known key.').waitFor();
    await closePanel(bob);

    const watch = await world.person('Alice');
    await watch.submit('sign in', 'Alice', PASSWORD);
    await watch.page.getByRole('button', { name: 'Restore your keys' }).click();
    await bannerOf(watch, 'Messages that were sent only to them cannot be read here').waitFor();
    await watch.page.context().close();
  });

  test('asks for its own password when the account has another one', async () => {
    await backUp(alice, PASSWORD);
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: 'Change your password' }).click();
    const dialog = dialogOf(alice, 'Change your password');
    await dialog.getByLabel('Current password').fill('not her password');
    await dialog.getByLabel('New password').fill(NEW_PASSWORD);
    await dialog.getByRole('button', { name: 'Change password' }).click();
    await dialog.getByRole('alert').getByText('This is not your password').waitFor();
    await dialog.getByLabel('Current password').fill(PASSWORD);
    // As if it broke off before the backup was made anew.
    await alice.page.route('**/v1/backup', (route) => route.abort());
    await dialog.getByRole('button', { name: 'Change password' }).click();
    await panel.getByText('Password changed, but not that of the backup').waitFor();
    await alice.page.unroute('**/v1/backup');

    const laptop = await world.person('Alice');
    await laptop.submit('sign in', 'Alice', NEW_PASSWORD);
    await laptop.page.getByRole('button', { name: 'Restore your keys' }).click();
    await laptop.page.getByRole('heading', { name: 'The backup has another password' }).waitFor();
    await laptop.page.getByLabel('Password of the backup').fill('no');
    await laptop.page.getByRole('button', { name: 'Open the backup' }).click();
    await laptop.page.getByRole('alert').getByText('not the password either').waitFor();
    await laptop.page.getByLabel('Password of the backup').fill(PASSWORD);
    await laptop.page.getByRole('button', { name: 'Open the backup' }).click();
    await laptop.open('Ward 3');
    await laptop.message('Good morning.').waitFor();
    await laptop.page.context().close();
  });

  test('of another password is opened with that one, and gets the new one', async () => {
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: /^Back up/ }).click();
    const dialog = dialogOf(alice, 'Back up your keys');
    await dialog.getByLabel('Your password').fill(NEW_PASSWORD);
    expect(await dialog.getByLabel('Password of the backup').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Back up' }).click();
    await dialog.getByLabel('Password of the backup').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Back up' }).click();
    await panel.getByText('Keys backed up').waitFor();
    await backUp(alice, NEW_PASSWORD);
  });

  test('gets the new password when that is changed', async () => {
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: 'Change your password' }).click();
    const dialog = dialogOf(alice, 'Change your password');
    await dialog.getByLabel('Current password').fill(NEW_PASSWORD);
    await dialog.getByLabel('New password').fill(LAST_PASSWORD);
    await dialog.getByRole('button', { name: 'Change password' }).click();
    await panel.getByText('Password changed').waitFor();
    await backUp(alice, LAST_PASSWORD);
    await closePanel(alice);
  });

  test('is removed when that is confirmed', async () => {
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: 'Remove the backup' }).click();
    const dialog = dialogOf(alice, 'Remove the backup?');
    await dialog.getByRole('button', { name: 'Remove the backup' }).click();
    await panel.getByText('Your keys are on your devices only.').waitFor();
    await panel.getByText('There is none.').waitFor();
    await backUp(alice, LAST_PASSWORD);
    await closePanel(alice);
  });

  test('is not asked about by a device that has its key, which takes the new password', async () => {
    await tablet.page.reload();
    await tablet.submit('sign in', 'Alice', LAST_PASSWORD);
    await tablet.page.getByRole('heading', { name: 'This device has another password' }).waitFor();
    await tablet.page.getByLabel('Last password').fill(PASSWORD);
    await tablet.page.getByRole('button', { name: 'Unlock' }).click();
    await tablet.open('Ward 3');
    await tablet.page.reload();
    await tablet.submit('sign in', 'Alice', LAST_PASSWORD);
    await tablet.open('Ward 3');
    await tablet.message('By new keys.').waitFor();
  });

  test('that another device removed is missed, and begun anew', async () => {
    const theirs = await devicesOf(tablet);
    await theirs.getByRole('button', { name: 'Remove the backup' }).click();
    await dialogOf(tablet, 'Remove the backup?')
      .getByRole('button', { name: 'Remove the backup' })
      .click();
    await theirs.getByText('Backup removed').waitFor();
    const panel = await devicesOf(alice);
    await panel.getByText('There is none.').waitFor();
    await panel.getByRole('button', { name: /^Back up/ }).click();
    const dialog = dialogOf(alice, 'Back up your keys');
    await dialog.getByLabel('Your password').fill(LAST_PASSWORD);
    await dialog.getByRole('button', { name: 'Back up' }).click();
    await dialog.getByRole('alert').getByText('an older backup than this device knows').waitFor();
    await dialog.getByRole('button', { name: 'Start a new backup' }).click();
    await panel.getByText('Keys backed up').waitFor();
    await closePanel(alice);
  });
});

describe('a device that is deleted', () => {
  test('leaves the list, and the next to sign in there is asked for the backup', async () => {
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: 'Sign out and delete everything' }).click();
    const dialog = dialogOf(alice, 'Delete everything on this device?');
    expect(await dialog.getByText('in no backup').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Sign out and delete' }).click();
    await alice.page.getByRole('button', { name: 'Sign in' }).waitFor();
    const left = await alice.page.evaluate(() => JSON.stringify(localStorage));
    expect(left).not.toContain('backed-up');
    await alice.submit('sign in', 'Alice', LAST_PASSWORD);
    await alice.page.getByRole('heading', { name: 'Restore your keys?' }).waitFor();
    await alice.page.getByRole('button', { name: 'Start without' }).click();
    await alice.open('Ward 3');
    await alice.message('SENT_BEFORE_DEVICE').first().waitFor();
    expect(await alice.message('Good morning.').count()).toBe(0);
  });

  test('is warned of when there is no backup of its keys', async () => {
    const panel = await devicesOf(alice);
    await panel.getByRole('button', { name: 'Sign out and delete everything' }).click();
    const dialog = dialogOf(alice, 'Delete everything on this device?');
    await dialog.getByText('The keys of this device are in no backup.').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
  });
});

test('no page reported an error or a violated policy', () => {
  expect(world.complaints()).toEqual([]);
});
