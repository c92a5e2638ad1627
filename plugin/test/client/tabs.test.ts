/** Several tabs, or processes, of one device: they share its key store, its card and its numbers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EncryptionError, MemoryKeyStore, type KeyStore } from 'twilio-chat-encryption';
import { FileKeyStore } from 'twilio-chat-encryption/node';
import { exportCard, parseEnvelope, parseIdentity } from 'twilio-chat-encryption/protocol';
import { afterAll, describe, expect, test } from 'vitest';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import { checkDeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import type { Directory } from '../../src/client/directory.ts';
import type { ReceivedMessage } from '../../src/client/judged.ts';
import type { Outlet } from '../../src/client/outlet.ts';
import { codeOf } from '../outcomes.ts';
import { CHANNEL, person } from '../protocol/people.ts';
import { kindOf } from '../integration/device-records.ts';
import { edited } from './edited.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

const root = await mkdtemp(join(tmpdir(), 'tabs-'));
let folders = 0;

afterAll(() => rm(root, { recursive: true }));

/** A directory that approves every card. */
class Approving extends LoggedDirectory {
  publications = 0;

  override publish(exported: string): Promise<string> {
    this.publications += 1;
    return super.publish(exported);
  }
}

async function open(identity: string, directory: Directory, keyStore: KeyStore): Promise<Device> {
  const options = { ...PINS, identity, server: directory, keyStore, password: 'password' };
  return openDevice(await checkDeviceOptions(options));
}

/** A channel of alice's and others', as Twilio keeps it. */
class Channel {
  readonly bodies: string[] = [];
  members = [parseIdentity('alice'), parseIdentity('bob')];

  /** As one tab sees it; its posts arrive when this says so. */
  outlet(arrives: () => Promise<unknown> = () => Promise.resolve()): Outlet {
    return {
      channelSid: CHANNEL,
      limit: 32_768,
      members: () => Promise.resolve(this.members),
      post: async (text) => {
        await arrives();
        return this.bodies.push(text) - 1;
      },
      find: (text) => {
        const at = this.bodies.indexOf(text);
        return Promise.resolve(at === -1 ? null : at);
      },
    };
  }

  delivered(index: number): DeliveredMessage {
    return {
      channelSid: CHANNEL,
      messageSid: `IM${index}`,
      index,
      author: 'alice',
      body: this.bodies[index] ?? '',
      file: null,
      fileSizes: [],
      createdAt: new Date(),
      updatedAt: new Date(),
      isLive: false,
      attempts: 0,
      joinedAt: () => Promise.resolve(null),
      members: () => Promise.resolve(this.members),
      watchJoins: () => () => undefined,
      around: (center, radius) =>
        Promise.resolve(
          [...this.bodies.keys()]
            .filter((at) => Math.abs(at - center) <= radius)
            .map((at) => this.delivered(at)),
        ),
    };
  }

  /** Everything in it, as this device reads it. */
  async readBy(device: Device): Promise<readonly ReceivedMessage[]> {
    const all = this.bodies.map((_, index) => device.judge(this.delivered(index)));
    return device.accept(await Promise.all(all));
  }
}

/** Without what is hidden, such as key messages. */
function shown(received: readonly ReceivedMessage[]): readonly unknown[] {
  return received.flatMap(({ hidden, content, encryption }) =>
    hidden
      ? []
      : [
          encryption.status === 'verified' && !encryption.anomalies.length
            ? content.body
            : encryption,
        ],
  );
}

const typesOf = ({ bodies }: Channel): string[] => bodies.map((text) => parseEnvelope(text).type);
const later = (milliseconds: number): Promise<unknown> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A post that arrives when the test lets it. */
function held(): {
  readonly arrives: () => Promise<unknown>;
  readonly release: () => void;
  readonly begun: Promise<unknown>;
} {
  const begun = Promise.withResolvers<null>();
  const released = Promise.withResolvers<null>();
  return {
    begun: begun.promise,
    arrives: () => {
      begun.resolve(null);
      return released.promise;
    },
    release: () => {
      released.resolve(null);
    },
  };
}

function inMemory(): readonly [KeyStore, KeyStore] {
  const store = new MemoryKeyStore();
  return [store, store];
}

function inFolder(): readonly [KeyStore, KeyStore] {
  const folder = join(root, String((folders += 1)));
  return [new FileKeyStore(folder), new FileKeyStore(folder)];
}

describe.each([
  ['MemoryKeyStore', inMemory],
  ['FileKeyStore', inFolder],
] as const)('two tabs on one %s', (_name, makeStores) => {
  async function start() {
    const directory = new Approving();
    const [store, same] = makeStores();
    const [first, second, bob] = await Promise.all([
      open('alice', directory, store),
      open('alice', directory, same),
      open('bob', directory, new MemoryKeyStore()),
    ]);
    return { directory, store, tabs: [first, second] as const, bob, channel: new Channel() };
  }

  test('that open at once have one card', async () => {
    const { directory, tabs } = await start();
    expect(tabs[0].card().id).toBe(tabs[1].card().id);
    expect(directory.log.entries.map(({ identity }) => identity).toSorted()).toEqual([
      'alice',
      'bob',
    ]);
  });

  test('leave to each other what is on its way: it is posted once, and before the next', async () => {
    const { tabs, bob, channel } = await start();
    const slow = held();
    const first = tabs[0].send(channel.outlet(slow.arrives), { body: 'one' });
    await slow.begun;
    const second = tabs[1].send(channel.outlet(), { body: 'two' });
    await later(50);
    slow.release();
    expect(await Promise.all([first, second])).toEqual([0, 1]);
    expect(shown(await channel.readBy(bob))).toEqual(['one', 'two']);
  });

  test('send in the order of their numbers, whichever is slower', async () => {
    const { tabs, bob, channel } = await start();
    const outlets = [channel.outlet(() => later(5)), channel.outlet()] as const;
    await Promise.all(
      tabs.map(async (tab, at) => {
        const outlet = outlets[at] ?? outlets[0];
        for (let count = 0; count < 10; count += 1)
          await tab.send(outlet, { body: `${at}-${count}` });
      }),
    );
    const bodies = shown(await channel.readBy(bob));
    expect(bodies).toHaveLength(20);
    expect(bodies.toSorted()).toEqual(
      [0, 1].flatMap((at) => Array.from({ length: 10 }, (_, count) => `${at}-${count}`)),
    );
  });

  test('open one session, when both need one at once', async () => {
    const { directory, tabs, bob, channel } = await start();
    for (let count = 0; count < 16; count += 1) {
      const { card } = await person(`p${count}`);
      await directory.publish(exportCard(card));
      channel.members.push(card.identity);
    }
    await Promise.all([
      tabs[0].send(
        channel.outlet(() => later(20)),
        { body: 'one' },
      ),
      tabs[1].send(channel.outlet(), { body: 'two' }),
      edited(tabs[1], channel.outlet(), tabs[1].card().id, 'edited'),
    ]);
    expect(typesOf(channel)).toEqual(['key', 'follower', 'follower']);
    expect(shown(await channel.readBy(bob)).toSorted()).toEqual(['one', 'two']);
  });

  test('both read what either sends, and lose nothing of what the other remembers', async () => {
    const { tabs, bob, channel } = await start();
    for (let count = 0; count < 6; count += 1) {
      await tabs[0].send(channel.outlet(), { body: `m${count}` });
    }
    // A copy, which Twilio made: whoever comes to it, it is hidden.
    channel.bodies.push(channel.bodies[2] ?? '');
    const expected = ['m0', 'm1', 'm2', 'm3', 'm4', 'm5'];
    for (const device of tabs) expect(shown(await channel.readBy(device))).toEqual(expected);
    const both = await Promise.all([...tabs, ...tabs, bob, bob].map((one) => channel.readBy(one)));
    for (const one of both) expect(shown(one)).toEqual(expected);
    // What both bound at once stays bound: nothing may stand in another's place now.
    channel.bodies.unshift(...channel.bodies.splice(-1));
    for (const device of [...tabs, bob]) {
      const again = await channel.readBy(device);
      expect(again.every(({ encryption }) => encryption.status === 'rejected')).toBe(true);
    }
  });
});

test('a tab that is closed while it waits for another sends nothing any more', async () => {
  const [directory, store, channel] = [new Approving(), new MemoryKeyStore(), new Channel()];
  const [first, second] = [
    await open('alice', directory, store),
    await open('alice', directory, store),
  ];
  await open('bob', directory, new MemoryKeyStore());
  const slow = held();
  const sending = first.send(channel.outlet(slow.arrives), { body: 'one' });
  await slow.begun;
  const waiting = codeOf(second.send(channel.outlet(), { body: 'two' }));
  await later(20);
  second.close();
  slow.release();
  expect(await sending).toBe(0);
  expect(await waiting).toBe('CLOSED');
  expect(channel.bodies).toHaveLength(1);
});

test('a tab that others keep waiting for too long sends nothing, and says so', async () => {
  const [directory, store, channel] = [new Approving(), new MemoryKeyStore(), new Channel()];
  const written: string[] = [];
  const busy: KeyStore = {
    get: (name) => store.get(name),
    update(name, change) {
      written.push(name);
      return store.update(name, change);
    },
    clear: (scope) => store.clear(scope),
    lock: (name, work) =>
      kindOf(name).startsWith('send/')
        ? Promise.reject(new EncryptionError('DEVICE_BUSY', 'Others send.'))
        : store.lock(name, work),
  };
  const alice = await open('alice', directory, busy);
  written.length = 0;
  expect(await codeOf(alice.send(channel.outlet(), { body: 'x' }))).toBe('DEVICE_BUSY');
  expect(channel.bodies).toEqual([]);
  // Whom it would be for was asked before.
  expect(written.map(kindOf)).toEqual([`recipients/${CHANNEL}`]);
});

describe('a tab whose device was removed in another', () => {
  async function removed() {
    const directory = new Approving();
    const store = new MemoryKeyStore();
    const updated = new Set<string>();
    const watched: KeyStore = {
      get: (name) => store.get(name),
      update(name, change) {
        updated.add(name);
        return store.update(name, change);
      },
      clear: (scope) => store.clear(scope),
      lock: (name, work) => store.lock(name, work),
    };
    const alice = await open('alice', directory, watched);
    await open('bob', directory, new MemoryKeyStore());
    const told: string[] = [];
    alice.events.on('deviceRemoved', ({ identity }) => told.push(identity));
    const channel = new Channel();
    await alice.send(channel.outlet(), { body: 'before' });
    const judged = await alice.judge(channel.delivered(0));
    for (const name of updated) await store.update(name, () => null);
    updated.clear();
    return { alice, channel, directory, store, updated, judged, told };
  }

  test('does nothing any more, and writes nothing', async () => {
    const { alice, channel, updated, judged, told } = await removed();
    for (const action of [
      () => alice.send(channel.outlet(), { body: 'after' }),
      () => edited(alice, channel.outlet(), alice.card().id, 'after'),
      () => alice.accept([judged]),
      () => alice.acknowledge('bob', []),
    ]) {
      expect(await codeOf(action())).toBe('DEVICE_REMOVED');
    }
    expect(alice.closed.aborted).toBe(true);
    expect(channel.bodies).toHaveLength(1);
    expect([...updated]).toEqual([]);
    expect(told).toEqual(['alice']);
  });

  test('does not go on with the keys of the next device there', async () => {
    const { alice, channel, directory, store } = await removed();
    const next = await open('alice', directory, store);
    expect(next.card().id).not.toBe(alice.card().id);
    expect(await codeOf(alice.send(channel.outlet(), { body: 'x' }))).toBe('DEVICE_REMOVED');
    expect(await next.send(channel.outlet(), { body: 'y' })).toBe(1);
  });
});
