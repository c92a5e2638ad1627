/** Keys as they come out of a ring or a backup: only those that belong to the cards beside them are used. */
import {
  Encryption,
  MemoryKeyStore,
  type EncryptionOptions,
  type EncryptionError,
} from 'twilio-chat-encryption';
import {
  base64url,
  createCard,
  curves,
  exportCard,
  parseIdentity,
  sealKeyRecord,
} from 'twilio-chat-encryption/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { MAX_BACKUP_BYTES as SERVERS_MAX } from '../../../token-server/src/domain/limits.ts';
import { importOwnCard, makeKeys } from '../../src/client/own-card.ts';
import { encodeBackup, MAX_BACKUP_BYTES } from '../../src/protocol/backup.ts';
import { makeSecrets, splitSecrets, type StoredKeys } from '../../src/protocol/key-ring.ts';
import { codeOf, failureOf } from '../outcomes.ts';
import { random } from '../protocol/people.ts';
import { Server } from './devices.ts';
import { PINS } from './logged-directory.ts';

const identity = parseIdentity('alice');
const CHEAP = { memory: 8, passes: 1, lanes: 1 };

const keysOf = (postQuantum = false): Promise<StoredKeys> =>
  makeKeys({ identity, createdAt: 1, device: undefined, postQuantum }, random);

describe('keys at rest', () => {
  test.each([
    ['a signing seed', 0, false],
    ['an encryption secret', 32, false],
    ['an X-Wing seed', 64, true],
  ])('with %s that is not of their card are damaged', async (_what, at, postQuantum) => {
    const { secrets, card } = await keysOf(postQuantum);
    expect((await importOwnCard({ secrets, card }, identity)).card.identity).toBe('alice');
    secrets.set(random(32), at);
    expect(await codeOf(importOwnCard({ secrets, card }, identity))).toBe('KEY_RECORD_DAMAGED');
  });

  test('of another person are damaged', async () => {
    const other = importOwnCard(await keysOf(), parseIdentity('bob'));
    expect(await codeOf(other)).toBe('KEY_RECORD_DAMAGED');
  });
});

describe('a backup', () => {
  let server: Server;

  beforeEach(() => {
    server = new Server();
  });

  const options = (): EncryptionOptions => ({
    ...{ ...PINS, identity, server, password: 'password' },
    keyStore: new MemoryKeyStore(),
  });

  /** The server has a backup of these keys. */
  async function store(keys: readonly StoredKeys[]): Promise<void> {
    const secret = encodeBackup({ generation: 1, savedAt: 1, keys });
    const record = await sealKeyRecord(`backup/${identity}`, secret, 'password', random, CHEAP);
    server.backups.stored = { backup: base64url.encode(record), tag: 'a tag' };
  }

  test.each<[string, () => Promise<StoredKeys>]>([
    ['a card that is none', async () => ({ ...(await keysOf()), card: 'AAAA' })],
    ['keys that are not of their card', async () => ({ ...(await keysOf()), secrets: random(96) })],
  ])('with %s is damaged, and what is in it is not left out of the next', async (_what, make) => {
    await store([await keysOf(), await make()]);
    const { stored } = server.backups;
    const alice = await Encryption.open(options());
    expect(await codeOf(alice.backup('password'))).toBe('KEY_RECORD_DAMAGED');
    expect(server.backups.stored).toBe(stored);
    expect(await codeOf(Encryption.restore(options()))).toBe('KEY_RECORD_DAMAGED');
  });

  test('that would be too large for a server is not written, and says what to do', async () => {
    await store(await Promise.all(Array.from({ length: 20 }, largeKeys)));
    const { stored } = server.backups;
    const alice = await Encryption.open(options());
    const failure: EncryptionError = await failureOf(alice.backup('password'));
    expect(failure.code).toBe('BACKUP_TOO_LARGE');
    expect(failure.message).toContain('21 cards');
    expect(failure.message).toContain('keepKeysDays');
    expect(server.backups.stored).toBe(stored);
    // What is there can be read all the same.
    expect(await Encryption.restore(options())).toMatchObject({ savedAt: new Date(1) });
  });

  test('may be as large here as on the token server', () => {
    expect(MAX_BACKUP_BYTES).toBe(SERVERS_MAX);
  });
});

/** Keys of a card of about 14 KiB. */
async function largeKeys(): Promise<StoredKeys> {
  const secrets = makeSecrets(random);
  const [signingSeed, encryptionSecret] = splitSecrets(secrets);
  const backEnd = await curves();
  const names = Array.from({ length: 16 }, (_, at) => `field ${at}`);
  const card = await createCard(
    {
      identity,
      createdAt: 1,
      fields: Object.fromEntries(names.map((name) => [name.padEnd(200), ' '.repeat(250)])),
    },
    await backEnd.importSigningKey(signingSeed),
    await backEnd.importAgreementKey(encryptionSecret),
  );
  return { secrets, card: exportCard(card) };
}
