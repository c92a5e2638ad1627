/**
 * Two tabs of one browser, and two processes on one folder: they are one device, with one card, and
 * its messages have one order.
 */
import type { Channel } from 'twilio-chat';
import { parseEnvelope } from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { browserHost, processHost, type Device, type Host, type RemoteTab } from './tabs/hosts.ts';
import { shown } from './tabs/tab.ts';
import { history, startWorld, type Person, type World } from './world.ts';

const CROWD = Array.from({ length: 15 }, (_, index) => `member ${index}`);
let world: World;
let bob: Person;
let people = 0;

beforeAll(async () => {
  world = await startWorld();
  bob = await world.person('bob');
  await world.crowd(CROWD);
});

afterAll(() => world.close());

interface Somebody {
  readonly identity: string;
  readonly session: string;
  readonly device: Device;
  readonly open: () => Promise<RemoteTab>;
}

/** Somebody new, with two tabs that were opened at once. */
async function somebody(
  host: Host,
): Promise<Somebody & { readonly tabs: readonly [RemoteTab, RemoteTab] }> {
  const identity = `person ${(people += 1)}`;
  const session = await world.signUp(identity);
  const device = await host.device();
  const { appKey, logKey, emulator } = world;
  const open = () =>
    device.open({ identity, session, appKey, logKey, socket: emulator.clientOptions.Twilsock.uri });
  return { identity, session, device, open, tabs: await Promise.all([open(), open()]) };
}

/** A channel of bob's with these people, which the tabs have open. */
async function channelOf(
  identities: readonly string[],
  tabs: readonly RemoteTab[],
): Promise<Channel> {
  const channel = await bob.client.createChannel({ isPrivate: true });
  await channel.join();
  for (const identity of identities) world.emulator.tamper.addMember(channel.sid, identity);
  await vi.waitFor(async () => {
    expect(await channel.getMembersCount()).toBe(identities.length + 1);
  });
  await channel.getMembers();
  await Promise.all(tabs.map((tab) => vi.waitFor(() => tab.join(channel.sid), 10_000)));
  return channel;
}

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${name} ${at}`);

const verified = (bodies: readonly string[]) =>
  bodies.map((body) => ({ body, status: 'verified', anomalies: [] }));

function stored(channel: Channel): string[] {
  return world.emulator.inspect.messages(channel.sid).map(({ body }) => body);
}

/** The next message that is posted meets this fate; resolves when it did. */
function befall(fate: {
  readonly when: 'before' | 'after';
  readonly then: 'silence';
}): Promise<unknown> {
  return new Promise((resolve) => {
    const undo = world.emulator.tamper.onRequest(({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/Messages')) return undefined;
      undo();
      resolve(null);
      return fate;
    });
  });
}

describe.each([
  ['tabs of one Chromium', browserHost, 50],
  ['processes of Node on one folder', processHost, 50],
] as const)('two %s', (_name, start, count) => {
  let host: Host;

  beforeAll(async () => {
    host = await start(world.server);
  });

  afterAll(() => host.close());

  test('that open at once have one card', async () => {
    const { identity, tabs } = await somebody(host);
    const cardIds = await Promise.all(tabs.map((tab) => tab.cardId()));
    expect(cardIds[0]).toBe(cardIds[1]);
    expect(await bob.encryption.cards.find(identity)).toHaveLength(1);
  });

  test('send at once: everybody reads everything, in one order, without an anomaly', async () => {
    const { identity, tabs } = await somebody(host);
    const channel = await channelOf([identity], tabs);
    const live: ReturnType<typeof shown>[] = [];
    channel.on('messageAdded', (message) => live.push(shown(message)));
    const bodies = [numbered('one', count), numbered('two', count)] as const;
    const indexes = await Promise.all(
      tabs.map((tab, at) => tab.send(channel.sid, bodies[at] ?? [])),
    );
    expect(
      indexes
        .flat()
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 2 * count }, (_, at) => at));
    await vi.waitFor(() => {
      expect(live).toHaveLength(2 * count);
    }, 20_000);
    const order = live.map(({ body }) => body);
    expect(order.toSorted()).toEqual(bodies.flat().toSorted());
    for (const [at, own] of bodies.entries()) {
      expect(
        order.filter((body) => own.includes(body)),
        `of tab ${at}`,
      ).toEqual(own);
    }
    // They took turns: neither had to wait for all of the other.
    expect(order.indexOf('one 1')).toBeLessThan(order.indexOf(`two ${count - 1}`));
    expect(order.indexOf('two 1')).toBeLessThan(order.indexOf(`one ${count - 1}`));
    expect(live).toEqual(verified(order));
    const fresh = await world.again(bob);
    const read = await history(await fresh.client.getChannelBySid(channel.sid));
    expect(read.map(shown)).toEqual(verified(order));
    for (const tab of tabs) {
      await vi.waitFor(async () => {
        expect(await tab.told(channel.sid)).toHaveLength(2 * count);
      }, 20_000);
      expect(await tab.told(channel.sid)).toEqual(verified(order));
      expect(await tab.history(channel.sid)).toEqual(verified(order));
    }
  }, 120_000);

  test('open one session, when both need one at once', async () => {
    const { identity, tabs } = await somebody(host);
    const channel = await channelOf([identity, ...CROWD], tabs);
    const sent = tabs.map((tab, at) => tab.send(channel.sid, [`one of ${at}`, `two of ${at}`]));
    await Promise.all(sent);
    const [first, ...others] = stored(channel).map((body) => parseEnvelope(body).type);
    expect(first).toBe('key');
    expect(others).toEqual(['follower', 'follower', 'follower', 'follower']);
    const read = (await history(channel)).map(shown);
    expect(read).toHaveLength(4);
    expect(read).toEqual(verified(read.map(({ body }) => body)));
    for (const tab of tabs) expect(await tab.history(channel.sid)).toEqual(read);
  }, 60_000);

  test('edit one message at once: both edits stay, and nobody is told of a fork', async () => {
    const { identity, tabs } = await somebody(host);
    const channel = await channelOf([identity], tabs);
    const versions: unknown[] = [];
    channel.on('messageUpdated', ({ message }) => versions.push(...shown(message).anomalies));
    await tabs[0].send(channel.sid, ['helo']);
    const changes = [
      ['body', 'hello'],
      ['attributes', 'better'],
    ] as const;
    await Promise.all(tabs.map((tab, at) => tab.edit(channel.sid, changes[at] ?? ['body', ''])));
    const [message] = await history(channel);
    await vi.waitFor(() => {
      expect([message?.body, message?.attributes]).toEqual(['hello', 'better']);
    }, 10_000);
    expect(message?.encryption).toMatchObject({ revision: 2, anomalies: [] });
    expect(versions).toEqual([]);
  }, 60_000);

  test.each([
    ['did not arrive is posted by the other one, once', 'before'],
    ['did arrive is not posted again by the other one', 'after'],
  ] as const)(
    'one of which is killed while it sends: what %s',
    async (_what, when) => {
      const { identity, tabs, open } = await somebody(host);
      const [victim, other] = tabs;
      const channel = await channelOf([identity], tabs);
      const met = befall({ when, then: 'silence' });
      const sending = victim.send(channel.sid, ['left behind']).catch(() => 'died');
      await met;
      // It holds its place as long as it lives.
      const next = other.send(channel.sid, ['next']);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(stored(channel)).toHaveLength(when === 'before' ? 0 : 1);
      await victim.kill();
      expect(await next).toEqual(['1']);
      // A tab that is opened later finds nothing left to do.
      const third = await open();
      await vi.waitFor(() => third.join(channel.sid), 10_000);
      expect(await third.send(channel.sid, ['later'])).toEqual(['2']);
      expect(stored(channel)).toHaveLength(3);
      expect((await history(channel)).map(shown)).toEqual(
        verified(['left behind', 'next', 'later']),
      );
      void sending;
    },
    60_000,
  );

  test('under one of which the device is removed: the other says so, and brings nothing back', async () => {
    const { identity, tabs, device } = await somebody(host);
    const [, other] = tabs;
    const channel = await channelOf([identity], tabs);
    await other.send(channel.sid, ['one']);
    for (const tab of tabs) {
      await vi.waitFor(async () => {
        expect(await tab.told(channel.sid)).toHaveLength(1);
      }, 10_000);
    }
    await device.forget();
    expect(await other.send(channel.sid, ['two', 'three'])).toEqual([
      'DEVICE_REMOVED',
      'DEVICE_REMOVED',
    ]);
    expect(stored(channel)).toHaveLength(1);
    expect(await device.isThere()).toBe(false);
  }, 60_000);
});
