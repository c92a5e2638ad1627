/** A server that shows one person another log than the others: the page says so, and has the proof. */
import { readFileSync } from 'node:fs';
import {
  base64url,
  curves,
  decodeHead,
  encodeHead,
  signHead,
} from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bannerOf } from './support/devices.ts';
import type { Person } from './support/person.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
let alice: Person;

beforeAll(async () => {
  world = await startWorld();
  alice = await world.person('Alice');
  await alice.signUp();
});

afterAll(() => world.close());

/** A head of the same size that the log's key signed, over other entries. */
async function otherHead(text: unknown): Promise<string> {
  const [head, seed] = [bytesOf(text), bytesOf(world.logKey)];
  const decoded = decodeHead(head);
  if (!decoded) throw new Error('no head');
  const key = await (await curves()).importSigningKey(seed);
  const root = decoded.root.map((byte) => byte ^ 1);
  return base64url.encode(encodeHead(await signHead(key, { ...decoded, root })));
}

function bytesOf(text: unknown): Uint8Array<ArrayBuffer> {
  const bytes = typeof text === 'string' ? base64url.decode(text) : null;
  if (!bytes) throw new Error('not base64url');
  return bytes;
}

test('a second log is told of at once and on every visit, with evidence to save', async () => {
  const route = '**/v1/cards/search';
  await alice.page.route(route, async (intercepted) => {
    const response = await intercepted.fetch();
    const answer = (await response.json()) as { head: unknown };
    await intercepted.fulfill({
      response,
      json: { ...answer, head: await otherHead(answer.head) },
    });
  });
  await alice.page.getByRole('button', { name: 'Your devices' }).click();
  const banner = bannerOf(alice, 'The server showed different people different keys.');
  await banner.waitFor();
  await alice.page.unrouteAll({ behavior: 'wait' });
  await alice.page.reload();
  await alice.signIn();
  await banner.waitFor();

  const [download] = await Promise.all([
    alice.page.waitForEvent('download'),
    banner.getByRole('button', { name: 'Save the evidence' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('split-view.json');
  const saved: unknown = JSON.parse(readFileSync(await download.path(), 'utf8'));
  expect(saved).toMatchObject({
    server: new URL(world.url).origin,
    logKey: expect.any(String) as unknown,
    known: expect.stringMatching(/^[\w-]{150}$/) as unknown,
    other: expect.stringMatching(/^[\w-]{150}$/) as unknown,
  });
});

test('a server that does not show what it told others of one is told of with their message', async () => {
  const [bob, carol] = [await world.person('Bob'), await world.person('Carol')];
  await bob.signUp();
  await carol.signUp();
  await carol.createChannel('audit');
  await carol.addMember('Bob');
  await bob.open('audit');
  await bob.page.route('**/v1/log/map?*', (intercepted) =>
    intercepted.fulfill({ status: 404, json: { code: 'NOT_FOUND' } }),
  );
  await carol.send('hello');
  await bannerOf(bob, 'The server does not show what it told others about you.').waitFor();
});

test('no page reported an error or a violated policy', () => {
  expect(world.complaints()).toEqual([]);
});
