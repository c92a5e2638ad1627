/** What the page tells of by itself: who gets messages, and that this device's key is gone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Person } from './support/person.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('Alice'), world.person('Bob')]);
  await Promise.all([alice.signUp(), bob.signUp()]);
  await alice.createChannel('Ward 3');
});

afterAll(() => world.close());

test('somebody who gets messages for the first time is named where that begins, and once', async () => {
  await alice.send('To myself.');
  await alice.addMember('Bob');
  await alice.send('To Bob.');
  await alice.send('To Bob again.');
  const lines = alice.page.locator('.recipients-note, .message .body');
  expect(await lines.allInnerTexts()).toEqual([
    'To myself.',
    'Bob gets your messages from now on',
    'To Bob.',
    'To Bob again.',
  ]);
});

test('somebody whose devices did not confirm one another is told of when they are seen first', async () => {
  const [carol, phone] = [await world.person('Carol'), await world.person('Carol')];
  await carol.signUp();
  await phone.signIn();
  await alice.addMember('Carol');
  await alice.send('To Carol.');
  const notice = alice.page
    .locator('.notice')
    .filter({ hasText: 'Carol has several devices that did not confirm one another.' });
  await notice.getByRole('button', { name: 'Compare safety numbers' }).waitFor();
  await notice.getByRole('button', { name: 'Not now' }).click();
  await notice.waitFor({ state: 'detached' });
});

test('when the key is removed, the page says so, and the way out leads to a new key', async () => {
  await alice.page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('twilio-chat-encryption');
        opening.onerror = () => {
          reject(new Error('no database'));
        };
        opening.onsuccess = () => {
          const changing = opening.result.transaction('records', 'readwrite');
          changing.objectStore('records').clear();
          changing.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
  );
  await bob.open('Ward 3');
  await bob.send('Are you there?');
  const notice = alice.page.getByRole('alert').filter({ hasText: 'Your key was removed' });
  await notice.waitFor();
  expect(await alice.message('Are you there?').count()).toBe(0);
  await notice.getByRole('button', { name: 'Sign in again' }).click();
  await alice.signIn();
  await alice.open('Ward 3');
  await alice.message('SENT_BEFORE_DEVICE').first().waitFor();
});

test('no page reported an error or a violated policy', () => {
  expect(world.complaints()).toEqual([]);
});
