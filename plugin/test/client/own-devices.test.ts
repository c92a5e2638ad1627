/** What a person's devices say of one another, and whom others trust for it. */
import { MemoryKeyStore, type KeyStore } from 'twilio-chat-encryption';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkDeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import { codeOf } from '../outcomes.ts';
import { Channel } from './channel.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

const HOURS = 60 * 60_000;
const START = Date.UTC(2026, 0, 1);

let directory: LoggedDirectory;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  directory = new LoggedDirectory();
});

afterEach(() => {
  vi.useRealTimers();
});

const at = (hours: number): Date => new Date(START + hours * HOURS);

async function open(identity: string, device?: string, keyStore: KeyStore = new MemoryKeyStore()) {
  const usual = { ...PINS, identity, server: directory, keyStore, password: 'password' };
  return openDevice(await checkDeviceOptions(device === undefined ? usual : { ...usual, device }));
}

/** Confirms a device on another one of the same person. */
async function confirm(on: Device, other: Device): Promise<void> {
  await on.devices.list();
  const { id } = other.card();
  expect(await on.acknowledge(on.identity, [id])).toEqual([id]);
}

/** How far somebody trusts the devices of alice, by their names. */
async function trustOf(viewer: Device): Promise<Record<string, string>> {
  await viewer.cards.find('alice');
  const devices = await viewer.safetyNumbers.trustOf('alice');
  return Object.fromEntries(devices.map(({ device, trust }) => [device ?? '', trust]));
}

describe('a stolen device', () => {
  test('takes with it whom the thief vouched for, and nobody who was vouched for before', async () => {
    const laptop = await open('alice', 'laptop');
    const bob = await open('bob');
    expect(await trustOf(bob)).toEqual({ laptop: 'new' });
    vi.setSystemTime(at(1));
    const phone = await open('alice', 'phone');
    await confirm(laptop, phone);
    // What it saw by then was not the thief's doing, whatever the log says of its time.
    await phone.devices.list();
    vi.setSystemTime(at(3));
    // The laptop was stolen at two; the thief, who has its password, adds a device.
    const thief = await open('alice', 'thief');
    await confirm(laptop, thief);
    expect(await trustOf(bob)).toEqual({ laptop: 'pinned', phone: 'pinned', thief: 'pinned' });
    vi.setSystemTime(at(4));
    await phone.devices.revoke(laptop.card().id, { compromisedSince: at(2) });
    expect(await trustOf(bob)).toEqual({ phone: 'pinned', thief: 'changed' });
  });

  test('takes whom it vouched for before as well, if nobody knows since when', async () => {
    const laptop = await open('alice', 'laptop');
    const bob = await open('bob');
    await trustOf(bob);
    const phone = await open('alice', 'phone');
    await confirm(laptop, phone);
    await phone.devices.revoke(laptop.card().id, { compromisedSince: new Date(0) });
    expect(await trustOf(bob)).toEqual({ phone: 'changed' });
  });

  test('takes with it whom the thief vouched for also from those who see this person first afterwards', async () => {
    const laptop = await open('alice', 'laptop');
    const phone = await open('alice', 'phone');
    await confirm(laptop, phone);
    // What it saw by then was not the thief's doing, whatever a server says.
    await phone.devices.list();
    vi.setSystemTime(at(1));
    const thief = await open('alice', 'thief');
    await confirm(laptop, thief);
    vi.setSystemTime(at(2));
    await phone.devices.revoke(laptop.card().id, { compromisedSince: at(1) });
    const bob = await open('bob');
    expect(await trustOf(bob)).toEqual({ phone: 'new', thief: 'changed' });
    // What is left of this person is used.
    const channel = new Channel('alice', 'bob');
    expect(await channel.tell(bob, phone, 'to Alice')).toBe('to Alice (new)');
    expect(await channel.read(thief, 0)).toBe('NOT_ADDRESSED');
  });

  test('can be called lost first, and stolen later', async () => {
    const [laptop, phone] = [await open('alice', 'laptop'), await open('alice', 'phone')];
    await phone.devices.revoke(laptop.card().id);
    await phone.devices.revoke(laptop.card().id, { compromisedSince: at(0) });
    const [stolen] = await phone.devices.list();
    expect(stolen).toMatchObject({ status: 'revoked', reason: 'compromised' });
    for (const compromisedSince of [new Date(NaN), 0, '2026', null]) {
      const revoked: unknown = Reflect.apply(phone.devices.revoke, null, [
        laptop.card().id,
        { compromisedSince },
      ]);
      expect(await codeOf(Promise.resolve(revoked))).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('vouching', () => {
  test('is for cards that were reported and acknowledged, and no others', async () => {
    const [laptop, phone] = [await open('alice', 'laptop'), await open('alice', 'phone')];
    const size = directory.log.size;
    // Not reported yet: nobody was shown it.
    expect(await laptop.acknowledge('alice', [phone.card().id])).toEqual([]);
    expect(directory.log.size).toBe(size);
    await confirm(laptop, phone);
    expect(directory.log.size).toBe(size + 1);
    // Said once, it is said.
    await laptop.acknowledge('alice', [phone.card().id]);
    expect(directory.log.size).toBe(size + 1);
  });

  test('that failed is made up for by the next call', async () => {
    const [laptop, phone] = [await open('alice', 'laptop'), await open('alice', 'phone')];
    const bob = await open('bob');
    await trustOf(bob);
    await laptop.devices.list();
    const publish = vi.spyOn(directory, 'publish').mockRejectedValueOnce(new Error('offline'));
    const ids = [phone.card().id];
    expect(await codeOf(laptop.acknowledge('alice', ids))).toBe('DIRECTORY_UNREACHABLE');
    publish.mockRestore();
    await laptop.acknowledge('alice', ids);
    const [, second] = await laptop.devices.list();
    expect(second).toMatchObject({ device: 'phone', trust: 'pinned' });
  });
});

describe('a message that somebody wrote long ago', () => {
  /** Reads it, and tells of what is reported until another one, of now, shows a device that is unknown. */
  async function reportedBy(reader: Device, channel: Channel): Promise<readonly string[]> {
    const unknown = new Promise<readonly string[]>((resolve) => {
      reader.events.on('ownCardUnknown', ({ cardIds }) => {
        resolve(cardIds);
      });
    });
    await channel.read(reader, 0);
    const planted = await open('alice', 'planted');
    // Heads are compared one after the other.
    await channel.tell(await open('carol'), reader, 'of now');
    expect(await unknown).toContain(planted.card().id);
    return (await unknown).filter((id) => id !== planted.card().id);
  }

  test('does not report a device that was revoked since', async () => {
    const keyStore = new MemoryKeyStore();
    const laptop = await open('alice', 'laptop', keyStore);
    const bob = await open('bob');
    const phone = await open('alice', 'phone');
    const channel = new Channel('alice', 'bob', 'carol');
    await open('carol');
    // Bob sees the log as it is while the phone is live.
    await channel.send(bob, 'x');
    await laptop.devices.list();
    await laptop.devices.revoke(phone.card().id);
    laptop.close();
    const again = await open('alice', 'laptop', keyStore);
    expect(await again.devices.list()).toMatchObject([{ status: 'live' }, { status: 'revoked' }]);
    expect(await reportedBy(again, channel)).toEqual([]);
  });

  test('does not report a device that was vouched for since', async () => {
    const laptop = await open('alice', 'laptop');
    const keyStore = new MemoryKeyStore();
    const tablet = await open('alice', 'tablet', keyStore);
    await confirm(tablet, laptop);
    await confirm(laptop, tablet);
    const bob = await open('bob');
    const phone = await open('alice', 'phone');
    const channel = new Channel('alice', 'bob', 'carol');
    await open('carol');
    await channel.send(bob, 'x');
    await confirm(laptop, phone);
    tablet.close();
    const again = await open('alice', 'tablet', keyStore);
    const listed = await again.devices.list();
    expect(listed.map(({ trust }) => trust)).toEqual(['pinned', 'pinned', 'pinned']);
    expect(await reportedBy(again, channel)).toEqual([]);
  });
});

test('a device that another one confirmed is no unknown one, also if this one could not ask when it was opened', async () => {
  const keyStore = new MemoryKeyStore();
  const laptop = await open('alice', 'laptop');
  let tablet = await open('alice', 'tablet', keyStore);
  await confirm(laptop, tablet);
  await confirm(tablet, laptop);
  const bob = await open('bob');
  tablet.close();
  const phone = await open('alice', 'phone');
  await confirm(laptop, phone);
  const strange = await open('alice', 'strange');
  const offline = vi.spyOn(directory, 'lookup').mockRejectedValue(new Error('offline'));
  tablet = await open('alice', 'tablet', keyStore);
  offline.mockRestore();
  const unknown: unknown[] = [];
  tablet.events.on('ownCardUnknown', (event) => unknown.push(event));
  // What Bob saw is looked at, before anything else is.
  expect(await new Channel('alice', 'bob').tell(bob, tablet, 'hello')).toBe('hello (new)');
  const cardIds = [strange.card().id];
  await expect.poll(() => unknown).toEqual([{ identity: 'alice', cardIds }]);
});
