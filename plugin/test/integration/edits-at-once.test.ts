/** Two devices of one person edit a message at once: neither edit is lost silently. */
import type { Message } from 'twilio-chat';
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliver, history, next, pair, startWorld, type Person, type World } from './world.ts';

let world: World;
let desktop: Person;
let phone: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  desktop = await world.person('alice');
  phone = await world.again({ ...desktop, keyStore: new MemoryKeyStore() });
  // Bob sees both for the first time; each of Alice's devices is told of the other one.
  const bothKnown = Promise.all([acknowledged(desktop, phone), acknowledged(phone, desktop)]);
  bob = await world.person('bob');
  const [own, bobs] = await pair(desktop, bob);
  await deliver(own, bobs, 'hello');
  const phones = await phone.client.getChannelBySid(own.sid);
  await deliver(phones, bobs, 'hello');
  await bothKnown;
});

afterAll(() => world.close());

async function acknowledged(one: Person, other: Person): Promise<void> {
  await next(one.encryption, 'ownCardUnknown');
  await one.encryption.acknowledge(one.identity, [other.encryption.cardId]);
}

/** Holds edits back until there are two, so that neither device knows of the other's. */
function meetAtTwilio(): () => void {
  let release = (): void => undefined;
  const both = new Promise<undefined>((resolve) => {
    release = () => {
      resolve(undefined);
    };
  });
  let waiting = 0;
  return world.emulator.tamper.onRequest(({ method, path }) => {
    if (method !== 'POST' || !/\/Messages\/[^/]+$/.test(path)) return undefined;
    waiting += 1;
    if (waiting >= 2) release();
    return both;
  });
}

/** A message of Alice, as her devices and Bob have it. */
async function three(body: string, attributes: unknown) {
  const [own, bobs] = await pair(desktop, bob);
  const theirs = await deliver(own, bobs, body, attributes);
  const [onDesktop] = await history(own);
  const [onPhone] = await history(await phone.client.getChannelBySid(own.sid));
  if (!onDesktop || !onPhone) throw new Error('There is no message.');
  return { onDesktop, onPhone, theirs };
}

const says = ({ body, attributes }: Message) => ({ body, attributes });

test('of different parts, both stay', async () => {
  const { onDesktop, onPhone, theirs } = await three('helo', { mood: 'good' });
  const end = meetAtTwilio();
  await Promise.all([onDesktop.updateBody('hello'), onPhone.updateAttributes({ mood: 'better' })]);
  const both = { body: 'hello', attributes: { mood: 'better' } };
  await expect.poll(() => [onDesktop, onPhone, theirs].map(says)).toEqual([both, both, both]);
  expect(theirs.encryption).toMatchObject({ status: 'verified', revision: 2 });
  end();
});

test('of the same part, all see the same one', async () => {
  const { onDesktop, onPhone, theirs } = await three('helo', {});
  const end = meetAtTwilio();
  await Promise.all([onDesktop.updateBody('hello'), onPhone.updateBody('hullo')]);
  const bodies = (): Set<string> => new Set([onDesktop, onPhone, theirs].map(({ body }) => body));
  await expect.poll(() => [...bodies()].join()).toMatch(/^h[eu]llo$/);
  end();
});
