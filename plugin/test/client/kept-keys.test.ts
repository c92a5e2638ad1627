/** Keys that were replaced: how long they are kept, what they open, and that they are gone when they are. */
import { MemoryKeyStore, type KeyStore } from 'twilio-chat-encryption';
import {
  createEphemeral,
  exportCard,
  openKeyRecord,
  x25519Slots,
  type Bytes,
  type LogEntry,
  type SlotSealer,
} from 'twilio-chat-encryption/protocol';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Device } from '../../src/client/device.ts';
import { restoreDevice } from '../../src/client/restore.ts';
import { decodeRing } from '../../src/protocol/key-ring.ts';
import { deriveScope, deriveStateKey, openStateRecord } from '../../src/protocol/state-record.ts';
import { codeOf } from '../outcomes.ts';
import { CHANNEL, person, random, seal } from '../protocol/people.ts';
import { Channel } from './channel.ts';
import { after, day, open, optionsOf, Server, stopClocks } from './devices.ts';

stopClocks();

let server: Server;
let keyStore: MemoryKeyStore;

beforeEach(() => {
  server = new Server();
  keyStore = new MemoryKeyStore();
});

/** Opens alice's one device, which is closed after so many days. */
const reopen = (keepKeysDays?: number): Promise<Device> =>
  open(server, { keyStore, ...(keepKeysDays !== undefined && { keepKeysDays }) });

const readable = async (device: Device): Promise<readonly boolean[]> =>
  (await device.devices.list()).map(({ isReadable }) => isReadable);

describe('keys that were replaced', () => {
  const twoMessages = async (): Promise<Channel> => {
    const channel = new Channel('alice');
    const device = await reopen();
    await channel.send(device, 'old');
    after(30);
    await device.changes.rotate('password');
    await channel.send(device, 'new');
    device.close();
    return channel;
  };

  test('are kept for ever by default', async () => {
    const channel = await twoMessages();
    after(3000);
    expect(await channel.read(await reopen(), 0)).toBe('old (pinned)');
  });

  test('are deleted after as many days as the application says; what they opened says so', async () => {
    const channel = await twoMessages();
    after(119);
    expect(await channel.read(await reopen(90), 0)).toBe('old (pinned)');
    after(121);
    const device = await reopen(90);
    expect(await channel.read(device, 0)).toBe('KEY_DELETED');
    expect(await channel.read(device, 1)).toBe('new (pinned)');
    // For good, whatever the option is later.
    const later = await reopen();
    expect(await channel.read(later, 0)).toBe('KEY_DELETED');
    expect(await readable(later)).toEqual([false, true]);
  });

  test('do not come back with a backup that has them, nor stay in the next one', async () => {
    const channel = new Channel('alice');
    const first = await reopen();
    await channel.send(first, 'old');
    await first.changes.backup('password');
    await first.changes.rotate('password');
    first.close();
    after(31);
    const later = await reopen(30);
    const { stored } = server.backups;
    await later.changes.backup('password');
    const restored = await restoreDevice(await optionsOf(server), 'password');
    expect(await channel.read(restored.device, 0)).toBe('NOT_ADDRESSED');
    server.backups.stored = stored;
    const again = await restoreDevice(await optionsOf(server, { keyStore }), 'password');
    expect(await channel.read(again.device, 0)).toBe('KEY_DELETED');
  });

  test('read a message whose slot for them comes after one that only looks like the newest key’s', async () => {
    const device = await open(server);
    const older = device.card();
    await device.changes.rotate('password');
    const mallory = await person('mallory');
    await server.publish(exportCard(mallory.card));
    const keys = [device.card().encryptionKey, older.encryptionKey];
    const slots = spoilt(x25519Slots(await createEphemeral(random), keys));
    const head = await server.log.head(Date.now());
    const text = await seal(mallory, [], 'x', { head, slots });
    const channel = new Channel('alice', 'mallory');
    expect(await channel.read(device, channel.put('mallory', text))).toBe('x (new)');
  });

  test.each([0, -1, 1.5, 3651, NaN, '90', null])('%s is no number of days', async (days) => {
    for (const name of ['rotateAfterDays', 'keepKeysDays']) {
      expect(await codeOf(open(server, { [name]: days }))).toBe('INVALID_ARGUMENT');
    }
  });
});

/** With a wrapped key in the first slot that is none, behind its true hint. */
function spoilt(sealer: SlotSealer): SlotSealer {
  return {
    ...sealer,
    async seal(...given) {
      const slots = await sealer.seal(...given);
      // ephemeral[32] | count[2] | hint[4] | wrapped[32]
      const at = 32 + 2 + 4;
      slots[at] = (slots[at] ?? 0) ^ 1;
      return slots;
    },
  };
}

describe('when keys are deleted', () => {
  /** Keys that were replaced after a day, at another time if the log is asked. */
  async function rotatedAt(time: (now: number) => number): Promise<Channel> {
    const channel = new Channel('alice');
    const device = await reopen();
    await channel.send(device, 'old');
    after(1);
    const { log } = server;
    const append = log.append.bind(log);
    const wrong = vi
      .spyOn(log, 'append')
      .mockImplementationOnce((entry) => append({ ...entry, time: time(entry.time) }));
    await device.changes.rotate('password');
    expect(wrong).toHaveBeenCalledOnce();
    device.close();
    return channel;
  }

  test.each<[string, LogEntry['time']]>([
    ['long ago', 0],
    ['in the far future', Date.UTC(9000, 0)],
  ])('is this device’s affair: a log that calls their end %s changes nothing', async (_, time) => {
    await rotatedAt(() => time);
    after(30);
    expect(await readable(await reopen(30))).toEqual([true, true]);
    after(32);
    expect(await readable(await reopen(30))).toEqual([false, true]);
  });

  test('is not when this device’s clock alone is wrong: what is deleted does not come back', async () => {
    const channel = await rotatedAt((now) => now);
    after(3650);
    server.now = () => day(2);
    (await reopen(30)).close();
    after(2);
    expect(await channel.read(await reopen(30), 0)).toBe('old (pinned)');
  });
});

describe('a session that this device opened', () => {
  /** A store that knows what there is in it. */
  class ListedStore extends MemoryKeyStore {
    readonly names = new Set<string>();

    override update(name: string, change: (current: Bytes | null) => Bytes | null): Promise<void> {
      this.names.add(name);
      return super.update(name, change);
    }
  }

  /** The records of sessions that whoever has the store and the password can open. */
  async function openable(store: ListedStore): Promise<readonly string[]> {
    const { deviceSecret, keys } = decodeRing(await ringOf(store));
    const sealing = [deviceSecret, ...keys.map(({ secrets }) => secrets)].map(deriveStateKey);
    const scope = deriveScope(deviceSecret);
    const kinds = ['outgoing/', 'session/'].map((kind) => `${scope}/${kind}`);
    const opened: string[] = [];
    for (const name of store.names) {
      const record = await store.get(name);
      if (!record || !kinds.some((kind) => name.startsWith(kind))) continue;
      if (sealing.some((key) => opens(key, name, record))) opened.push(name);
    }
    return opened;
  }

  test('is deleted with the keys: nothing is left that opens what was sent in it', async () => {
    const store = new ListedStore();
    const device = await open(server, { keyStore: store });
    // More than 16 cards, so that there is a session.
    const others = Array.from({ length: 17 }, (_, at) => `person ${at}`);
    for (const identity of others) await server.publish(exportCard((await person(identity)).card));
    const channel = new Channel('alice', ...others);
    const index = await channel.send(device, 'a secret of then');
    await channel.read(device, index);
    const { id } = device.card();
    expect(await openable(store)).toEqual([
      expect.stringContaining(`/outgoing/${id}/${CHANNEL}`),
      expect.stringContaining(`/session/${id}/${CHANNEL}`),
    ]);
    await device.changes.rotate('password');
    device.close();
    after(40);
    const later = await open(server, { keyStore: store, keepKeysDays: 30 });
    expect(await channel.read(later, index)).toBe('KEY_DELETED');
    expect(await openable(store)).toEqual([]);
  });
});

async function ringOf(store: KeyStore): Promise<Bytes> {
  const record = await store.get('key/alice');
  if (!record) throw new Error('There is no key.');
  return openKeyRecord('key/alice', record, 'password');
}

function opens(key: Bytes, name: string, record: Bytes): boolean {
  try {
    openStateRecord(key, name, record);
    return true;
  } catch {
    return false;
  }
}
