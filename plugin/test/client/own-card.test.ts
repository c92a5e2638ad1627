import { describe, expect, test } from 'vitest';
import { MemoryKeyStore } from '../../src/client/key-store.ts';
import type { Directory } from '../../src/client/directory.ts';
import {
  approveCard,
  curves,
  EncryptionError,
  exportCard,
  importCard,
  parseIdentity,
  xwing,
  type Bytes,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { openDeviceKeys, type DeviceKeysOptions } from '../../src/client/device-keys.ts';
import type { OwnCard } from '../../src/client/own-card.ts';
import type { Records } from '../../src/client/state.ts';
import { codeOf, failureOf } from '../outcomes.ts';
import { APP_KEY, person, random } from '../protocol/people.ts';

const backEnd = await curves();
const appKey = await backEnd.importVerifyingKey(APP_KEY.publicKey);
const mallory = await person('alice');

const notAsked = () => Promise.reject(new Error('not asked for'));

const approvedBy =
  (key: SigningKey) =>
  async (exported: string): Promise<string> =>
    exportCard(await approveCard(await importCard(exported), key, 1));

/** A directory that only approves. */
class Approval implements Directory {
  publish: Directory['publish'] = approvedBy(APP_KEY);
  readonly lookup = notAsked;
  readonly lookupAt = notAsked;
  readonly consistency = notAsked;
  readonly revoke = notAsked;

  get(): Promise<string | null> {
    return Promise.resolve(null);
  }
}

const fails = (code: 'DIRECTORY_UNREACHABLE' | 'DIRECTORY_REFUSED') => (): Promise<string> =>
  Promise.reject(new EncryptionError(code, 'No.'));

/** A device of alice's. */
class Device {
  readonly keyStore = new MemoryKeyStore();
  readonly directory = new Approval();
  records: Records | undefined;

  async open(changes: Partial<DeviceKeysOptions> = {}): Promise<OwnCard> {
    const opened = await openDeviceKeys({
      identity: parseIdentity('alice'),
      password: 'password',
      keyStore: this.keyStore,
      directory: this.directory,
      appKeys: [appKey],
      device: 'phone',
      postQuantum: false,
      random,
      now: () => 1_700_000_000_000,
      ...changes,
    });
    this.records = opened.records;
    return opened.keys.current();
  }
}

describe('a device', async () => {
  const device = new Device();
  const first = await device.open();

  test('makes keys and an approved card at its first run', async () => {
    expect(first.card).toMatchObject({
      identity: 'alice',
      device: 'phone',
      createdAt: 1_700_000_000_000,
    });
    expect(first.card.signatures.map(({ signer }) => signer)).toEqual(['self', 'app']);
    expect(first.card.encryptionKey).toEqual(first.encryptionKey.publicKey);
    const message = random(10);
    const signature = await first.signingKey.sign(message);
    expect(await first.card.signingKey.verify(signature, message)).toBe(true);
  });

  test('has the same card at the next, and works without the server then', async () => {
    device.directory.publish = fails('DIRECTORY_UNREACHABLE');
    const again = await device.open({ now: () => 1, device: 'renamed' });
    device.directory.publish = approvedBy(APP_KEY);
    expect(exportCard(again.card)).toBe(exportCard(first.card));
  });

  test('does not open with another password, and keeps its keys', async () => {
    expect(await codeOf(device.open({ password: 'Password' }))).toBe('WRONG_PASSWORD');
    expect((await device.open()).card.id).toBe(first.card.id);
  });

  test('does not go on when the server refuses its card', async () => {
    device.directory.publish = fails('DIRECTORY_REFUSED');
    expect(await codeOf(device.open())).toBe('DIRECTORY_REFUSED');
    device.directory.publish = approvedBy(APP_KEY);
  });

  test('accepts no approval but of this card, under a pinned key', async () => {
    const planted: Directory['publish'][] = [
      (card) => Promise.resolve(card),
      approvedBy(mallory.signingKey),
      () => Promise.resolve(exportCard(mallory.card)),
      () => Promise.resolve('<html>'),
    ];
    for (const publish of planted) {
      device.directory.publish = publish;
      expect(await codeOf(device.open())).toBe('OWN_CARD_INVALID');
    }
    device.directory.publish = approvedBy(APP_KEY);
  });

  test('without the server does not believe a planted approval in its store', async () => {
    const name = `card/${first.card.id}`;
    const { records = new MemoryKeyStore() } = device;
    const stored = await records.get(name);
    expect(stored).not.toBeNull();
    await records.update(name, () => Uint8Array.of(0xff));
    device.directory.publish = fails('DIRECTORY_UNREACHABLE');
    expect(await codeOf(device.open())).toBe('OWN_CARD_INVALID');
    device.directory.publish = approvedBy(APP_KEY);
    await records.update(name, () => stored);
  });

  test('of somebody else does not open with keys that were moved', async () => {
    const record = await device.keyStore.get('key/alice');
    const keyStore = new MemoryKeyStore();
    await keyStore.update('key/bob', () => record);
    const bob = parseIdentity('bob');
    expect(await codeOf(device.open({ keyStore, identity: bob }))).toBe('KEY_RECORD_DAMAGED');
  });
});

describe('a device with postQuantum', async () => {
  const device = new Device();
  const first = await device.open({ postQuantum: true });

  test('has a key of suite 2 on its card, and opens what is sealed for it', async () => {
    const publicKey = first.card.pqEncryptionKey ?? new Uint8Array();
    expect(first.pqEncryptionKey?.publicKey).toEqual(publicKey);
    const sealed = await (await xwing()).encapsulate(publicKey, random);
    expect(await first.pqEncryptionKey?.decapsulate(sealed.ciphertext)).toEqual(
      sealed.sharedSecret,
    );
    expect(publicKey.slice(1184)).not.toEqual(first.card.encryptionKey);
  });

  test('has the same keys the next time', async () => {
    const again = await device.open({ postQuantum: true });
    expect(exportCard(again.card)).toBe(exportCard(first.card));
    expect(again.pqEncryptionKey?.publicKey).toEqual(first.pqEncryptionKey?.publicKey);
    expect(again.sessionKey).toEqual(first.sessionKey);
  });

  test('keeps the key when the option is gone: others still use it', async () => {
    const again = await device.open({ postQuantum: false });
    expect(again.pqEncryptionKey?.publicKey).toEqual(first.pqEncryptionKey?.publicKey);
  });

  test('does not open on a card made without, and leaves it as it is', async () => {
    const older = new Device();
    const { card, ...keys } = await older.open();
    expect(card).not.toHaveProperty('pqEncryptionKey');
    expect(keys).not.toHaveProperty('pqEncryptionKey');
    const failure = await failureOf(older.open({ postQuantum: true }));
    expect(failure.code).toBe('INVALID_ARGUMENT');
    expect(failure.message).toContain('new card');
    expect((await older.open()).card.id).toBe(card.id);
  });

  test('does not open when another tab was faster without it', async () => {
    const both = new Device();
    const outcomes = await Promise.allSettled([
      both.open({ postQuantum: true }),
      both.open({ postQuantum: false }),
    ]);
    const opened = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(opened.length).toBeGreaterThan(0);
    expect(new Set(opened.map(({ card }) => card.id)).size).toBe(1);
  });
});

test('the sessions of a card are sealed under a key of all its secrets', async () => {
  // The key stores hold the same record but for one bit of the X-Wing seed, which no card shows.
  const secrets = random(96);
  const sessionKeys = [];
  for (const last of [0, 1]) {
    const device = new Device();
    secrets[95] = last;
    const source = (length: number): Bytes => (length === 96 ? secrets.slice() : random(length));
    sessionKeys.push((await device.open({ random: source })).sessionKey);
  }
  expect(sessionKeys[0]).not.toEqual(sessionKeys[1]);
});

test('keys are stored before the card is published: a failed first run is gone on with', async () => {
  const device = new Device();
  const published: string[] = [];
  device.directory.publish = (card) => {
    published.push(card);
    return fails('DIRECTORY_UNREACHABLE')();
  };
  expect(await codeOf(device.open())).toBe('DIRECTORY_UNREACHABLE');
  device.directory.publish = (card) => {
    published.push(card);
    return approvedBy(APP_KEY)(card);
  };
  await device.open();
  expect(published).toHaveLength(2);
  expect(published[0]).toBe(published[1]);
});

test('two tabs that start at once have one card', async () => {
  const device = new Device();
  const [one, two] = await Promise.all([device.open(), device.open()]);
  expect(one.card.id).toBe(two.card.id);
});
