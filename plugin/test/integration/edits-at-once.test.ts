/** A message that is edited twice at once: neither edit is lost silently, with either SDK. */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  chatDevice,
  conversationsDevice,
  meet,
  pages,
  tell,
  type AnyMessage,
  type Device,
} from './rooms.ts';
import { next, startWorld, type Person, type World } from './world.ts';

const SDKS = ['twilio-chat', 'Conversations'] as const;

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

async function deviceOf(sdk: (typeof SDKS)[number], person: Person): Promise<Device> {
  if (sdk === 'twilio-chat') return chatDevice(person.identity, person.client);
  const raw = await world.conversations(person);
  return conversationsDevice(person.identity, person.encryption.wrapClient(raw));
}

async function acknowledged(one: Person, other: Person): Promise<void> {
  await next(one.encryption, 'ownCardUnknown');
  await one.encryption.acknowledge(one.identity, [other.encryption.cardId]);
}

/** Holds edits back until there are two, so that neither device knows of the other's. */
function meetAtTwilio(): () => void {
  const { promise: both, resolve } = Promise.withResolvers<undefined>();
  let waiting = 0;
  return world.emulator.tamper.onRequest(({ method, path }) => {
    if (method !== 'POST' || !/\/Messages\/[^/]+$/.test(path)) return undefined;
    waiting += 1;
    if (waiting >= 2) resolve(undefined);
    return both;
  });
}

/** Nobody, or not this person, hears of edits until they are made. */
function unheard(by?: string): () => void {
  const { promise: made, resolve } = Promise.withResolvers<undefined>();
  const end = world.emulator.tamper.onPush(({ identity, object }) =>
    object.endsWith('.messages') && (by ?? identity) === identity ? made : undefined,
  );
  return () => {
    end();
    resolve(undefined);
  };
}

const says = ({ body, attributes }: AnyMessage) => ({ body, attributes });
const anomalies = ({ encryption }: AnyMessage) =>
  encryption.status === 'verified' ? encryption.anomalies : encryption.code;

describe.each(SDKS)('with %s', (sdk) => {
  let bob: Device;
  let reader: Person;
  let alice: Person;

  beforeAll(async () => {
    alice = await world.person(`alice of ${sdk}`);
    reader = await world.person(`bob of ${sdk}`);
    bob = await deviceOf(sdk, reader);
  });

  /** A message of Alice, as she has it here and there, and as Bob has it. */
  async function three(here: Device, there: Device, body: string, attributes: object) {
    const [own, bobs] = await meet(here, bob);
    const theirs = await tell(own, bobs, body, { ...attributes });
    const [one] = await pages(own, 10);
    const [other] = await pages(await there.room(own.raw.sid), 10);
    if (!one || !other) throw new Error('There is no message.');
    return { one, other, theirs, all: [one, other, theirs] };
  }

  describe('two devices of one person', () => {
    let desktop: Device;
    let phone: Device;

    beforeAll(async () => {
      const second = await world.again({ ...alice, keyStore: new MemoryKeyStore() });
      const bothKnown = Promise.all([acknowledged(alice, second), acknowledged(second, alice)]);
      [desktop, phone] = await Promise.all([deviceOf(sdk, alice), deviceOf(sdk, second)]);
      const [own, bobs] = await meet(desktop, bob);
      await tell(own, bobs, 'hello');
      await tell(await phone.room(own.raw.sid), bobs, 'hello');
      await bothKnown;
    });

    test('of different parts, both stay', async () => {
      const { one, other, theirs, all } = await three(desktop, phone, 'helo', { mood: 'good' });
      const end = meetAtTwilio();
      await Promise.all([one.updateBody('hello'), other.updateAttributes({ mood: 'better' })]);
      const both = { body: 'hello', attributes: { mood: 'better' } };
      await expect.poll(() => all.map(says)).toEqual([both, both, both]);
      expect(theirs.encryption).toMatchObject({ status: 'verified', revision: 2, anomalies: [] });
      end();
    });

    test('of the same part, all see the same one, and no fork stays behind', async () => {
      const { one, other, all } = await three(desktop, phone, 'helo', {});
      const end = meetAtTwilio();
      await Promise.all([one.updateBody('hello'), other.updateBody('hullo')]);
      const bodies = (): Set<string | null> => new Set(all.map(({ body }) => body));
      await expect.poll(() => [...bodies()].join()).toMatch(/^h[eu]llo$/);
      await expect.poll(() => all.map(anomalies)).toEqual([[], [], []]);
      expect([...bodies()].join()).toMatch(/^h[eu]llo$/);
      end();
    });
  });

  describe('two tabs of one device', () => {
    let tabs: readonly [Device, Device];

    beforeAll(async () => {
      const again = await world.again(alice);
      tabs = await Promise.all([deviceOf(sdk, alice), deviceOf(sdk, again)]);
    });

    test('of different parts, both stay, and nobody sees a fork', async () => {
      const { one, other, theirs, all } = await three(...tabs, 'helo', { mood: 'good' });
      const seen: unknown[] = [];
      theirs.on('updated', () => seen.push(anomalies(theirs)));
      const both = { body: 'hello', attributes: { mood: 'better' } };
      const heard = unheard();
      await Promise.all([one.updateBody('hello'), other.updateAttributes({ mood: 'better' })]);
      heard();
      await expect.poll(() => all.map(says)).toEqual([both, both, both]);
      expect(theirs.encryption).toMatchObject({ status: 'verified', revision: 2, anomalies: [] });
      expect(seen.flat()).toEqual([]);
    });

    test('of the same part, the later one stays', async () => {
      const { one, other, all } = await three(...tabs, 'helo', {});
      const heard = unheard();
      await one.updateBody('hello');
      await other.updateBody('hullo');
      heard();
      await expect
        .poll(() => all.map(says))
        .toEqual(Array(3).fill({ body: 'hullo', attributes: {} }));
      expect(all.map(anomalies)).toEqual([[], [], []]);
    });

    test('what Twilio refused of one is nothing that the other builds on', async () => {
      const { one, other, all } = await three(...tabs, 'helo', { mood: 'good' });
      const end = world.emulator.tamper.onRequest(({ method, path }) => {
        if (method !== 'POST' || !/\/Messages\/[^/]+$/.test(path)) return undefined;
        end();
        return { when: 'before', then: 'fail', status: 403 };
      });
      await expect(one.updateBody('refused')).rejects.toThrow();
      await other.updateAttributes({ mood: 'better' });
      const stays = { body: 'helo', attributes: { mood: 'better' } };
      await expect.poll(() => all.map(says)).toEqual([stays, stays, stays]);
    });
  });

  test('edits one after the other are nothing odd in a tab of a reader that hears of them later', async () => {
    const [own, bobs] = await meet(await deviceOf(sdk, alice), bob);
    const theirs = await tell(own, bobs, 'one');
    const seen: unknown[] = [];
    theirs.on('updated', () => seen.push(anomalies(theirs)));
    const [mine] = await pages(own, 1);
    const heard = unheard(reader.identity);
    await mine?.updateBody('two');
    await mine?.updateBody('three');
    const tab = await deviceOf(sdk, await world.again(reader));
    const read = await pages(await tab.room(own.raw.sid), 1);
    expect(read.map(({ body }) => body)).toEqual(['three']);
    heard();
    await expect.poll(() => theirs.body).toBe('three');
    expect(seen.flat()).toEqual([]);
  });
});
