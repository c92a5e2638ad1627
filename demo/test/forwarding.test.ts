/** A member takes a signed message out of its envelope and passes it on as if sent to others. */
import { x25519 } from '@noble/curves/ed25519.js';
import { openKeyRecord } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRaw, sealRaw } from '../../plugin/test/protocol/malicious-member.ts';
import { PASSWORD, type Person } from './support/person.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
let alice: Person;
let bob: Person;
let carol: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob, carol] = await Promise.all([
    world.person('Alice'),
    world.person('Bob'),
    world.person('Carol'),
  ]);
  await Promise.all([alice.signUp(), bob.signUp(), carol.signUp()]);
});

afterAll(() => world.close());

/** The private key that somebody holds on their own device: the stored record, and the password. */
async function encryptionSecret({ name, page }: Person): Promise<Uint8Array> {
  const record = await page.evaluate(
    (key) =>
      new Promise<number[]>((resolve, reject) => {
        const opening = indexedDB.open('twilio-chat-encryption');
        opening.onerror = () => {
          reject(new Error('no database'));
        };
        opening.onsuccess = () => {
          const reading = opening.result.transaction('records').objectStore('records').get(key);
          reading.onsuccess = () => {
            resolve(Array.from(reading.result as Uint8Array));
          };
        };
      }),
    `key/${name}`,
  );
  const secret = await openKeyRecord(`key/${name}`, new Uint8Array(record), PASSWORD);
  // Behind the version, the device's secret and the signing seed.
  return secret.slice(65, 97);
}

test('the page says that its author did not sign it for these people', async () => {
  await alice.createChannel('Board');
  await alice.addMember('Bob');
  await bob.open('Board');
  await alice.send('You are fired.');
  await bob.message('You are fired.').waitFor();
  await alice.addMember('Carol');
  await carol.open('Board');

  const [channel] = world.emulator.inspect.channels();
  const [stored] = world.emulator.inspect.messages(channel?.sid ?? '');
  const secrets = await Promise.all([encryptionSecret(bob), encryptionSecret(carol)]);
  const plaintext = openRaw(stored?.body ?? '', secrets[0]);
  const body = sealRaw(
    plaintext,
    secrets.map((secret) => x25519.getPublicKey(secret)),
  );
  world.emulator.tamper.inject(channel?.sid ?? '', { author: 'Alice', body });

  await carol.message('BAD_SIGNATURE').waitFor();
  expect(await carol.message('You are fired.').count()).toBe(0);
  const panel = await carol.details('BAD_SIGNATURE');
  await panel.getByText('BAD_SIGNATURE', { exact: true }).waitFor();
});
