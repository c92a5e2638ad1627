/** Devices that go on by themselves, on a real token server, after something broke off or was put back. */
import {
  Encryption,
  EncryptionError,
  MemoryKeyStore,
  type Directory,
  type EncryptionOptions,
} from 'twilio-chat-encryption';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { codeOf, failureOf } from '../outcomes.ts';
import { signUp } from './accounts.ts';
import { newKey, startServers } from './servers.ts';
import { startWorld, type Person, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

const passwordOf = ({ identity }: Person): string => `password of ${identity}`;

describe('a restore that broke off before its card was published', () => {
  /** What goes on with it; meanwhile the device that could have vouched for it got new keys. */
  async function brokenOff(person: Person): Promise<EncryptionOptions> {
    await person.encryption.backup(passwordOf(person));
    const server = world.directory(person);
    const unreachable: Directory = {
      ...server,
      publish: () => Promise.reject(new EncryptionError('DIRECTORY_UNREACHABLE', 'No.')),
    };
    const options = { ...world.options(person), keyStore: new MemoryKeyStore() };
    const broken = Encryption.restore({ ...options, server: unreachable });
    expect(await codeOf(broken)).toBe('DIRECTORY_UNREACHABLE');
    await person.encryption.rotate(passwordOf(person));
    return { ...options, server };
  }

  test('is gone on with, by a backup that has the new keys', async () => {
    const alice = await world.person('alice');
    const bob = await world.person('bob');
    await bob.encryption.trustOf('alice');
    const options = await brokenOff(alice);
    await alice.encryption.backup(passwordOf(alice));
    const { encryption, missing } = await Encryption.restore(options);
    expect(missing).toEqual([]);
    await bob.encryption.cards.find('alice');
    expect(await bob.encryption.trustOf('alice')).toEqual([
      { cardId: alice.encryption.cardId, trust: 'pinned' },
      { cardId: encryption.cardId, trust: 'pinned' },
    ]);
    encryption.close();
  });

  test('does not keep the device from being opened without it', async () => {
    const carol = await world.person('carol');
    const options = await brokenOff(carol);
    const encryption = await Encryption.open(options);
    expect(await encryption.devices()).toMatchObject([
      { status: 'superseded' },
      { status: 'live', isThis: false },
      { status: 'live', isThis: true },
    ]);
    encryption.close();
  });
});

test('an old record of the keys that is put back opens, and says that another card took its place', async () => {
  const dave = await world.person('dave');
  const old = await dave.keyStore.get('key/dave');
  const first = dave.encryption.cardId;
  const second = await dave.encryption.rotate(passwordOf(dave));
  dave.encryption.close();
  await dave.keyStore.update('key/dave', () => old);
  const again = await Encryption.open({ ...world.options(dave), keyStore: dave.keyStore });
  const told = new Promise((resolve) => {
    again.on('deviceRevoked', resolve);
  });
  expect(await told).toEqual({ identity: 'dave', status: 'superseded' });
  // What it had is there; keys that others trusted would come of nothing.
  expect(again.cardId).toBe(first);
  expect(await codeOf(again.rotate(passwordOf(dave)))).toBe('DEVICE_REVOKED');
  expect(await again.devices()).toMatchObject([
    { cardId: first, status: 'superseded', isReadable: true },
    { cardId: second, status: 'live', isReadable: false },
  ]);
  again.close();
});

describe('a clock that was a day ahead', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('at the first opening keeps the device from opening until it is right, and no longer', async () => {
    const { now } = Date;
    const servers = await startServers(now);
    try {
      const session = await signUp(servers.server, 'erin', newKey());
      const options: EncryptionOptions = {
        identity: 'erin',
        password: 'password',
        server: servers.server,
        appKey: servers.appKey,
        logKey: servers.logKey,
        authorize: () => Promise.resolve(session),
        keyStore: new MemoryKeyStore(),
      };
      vi.useFakeTimers({ toFake: ['Date'], now: now() + 24 * 60 * 60_000 });
      const failure = await failureOf(Encryption.open(options));
      expect(failure.code).toBe('DIRECTORY_REFUSED');
      expect(failure.message).toContain('CLOCK_SKEW');
      vi.useRealTimers();
      const encryption = await Encryption.open(options);
      expect(await encryption.devices()).toMatchObject([{ isThis: true, status: 'live' }]);
      encryption.close();
    } finally {
      await servers.close();
    }
  });
});
