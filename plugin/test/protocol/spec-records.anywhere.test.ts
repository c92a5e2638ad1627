/** The vectors that need Argon2id, see `spec-vectors.anywhere.test.ts`. */
import { deriveAuthSecret, openKeyRecord, parseIdentity } from 'twilio-chat-encryption/protocol';
import { expect } from 'vitest';
import type {
  BackupCase,
  KeyRecordCase,
  KeyRingCase,
  LoginCase,
  StoredKeysVector,
} from '../../../spec/vector-files.ts';
import { openBackup } from '../../src/client/backup.ts';
import { openRing } from '../../src/client/device-keys.ts';
import { importOwnCard } from '../../src/client/own-card.ts';
import { decodeRing, encodeRing, type StoredKeys } from '../../src/protocol/key-ring.ts';
import { hex } from '../../src/protocol/primitives.ts';
import { deriveScope, deriveStateKey } from '../../src/protocol/state-record.ts';
import { bytes, vectors } from './vector-runner.ts';

vectors<KeyRecordCase>(
  'key-record',
  async ({ recordName, record, password }) =>
    hex.encode(await openKeyRecord(recordName, bytes(record), password)),
  (one) => one.secret,
);

vectors<LoginCase>(
  'login',
  ({ password, identity, origin }) => deriveAuthSecret(password, identity, origin),
  (one) => one.authSecret,
);

/** What the vectors say of stored keys; each of which its card has. */
function described(keys: readonly StoredKeys[], identity: string): Promise<StoredKeysVector[]> {
  const described = keys.map(async (stored) => {
    const own = await importOwnCard(stored, parseIdentity(identity));
    return {
      cardId: own.card.id,
      card: stored.card,
      privateKeys: hex.encode(stored.secrets),
      stateKey: hex.encode(own.sessionKey),
    };
  });
  return Promise.all(described);
}

vectors<KeyRingCase>(
  'key-ring',
  async ({ identity, record, password }) => {
    const secret = await openRing(`key/${identity}`, bytes(record), password);
    const { deviceSecret, keys } = decodeRing(secret);
    expect(encodeRing({ deviceSecret, keys })).toEqual(secret);
    return {
      deviceSecret: hex.encode(deviceSecret),
      scope: deriveScope(deviceSecret),
      stateKey: hex.encode(deriveStateKey(deviceSecret)),
      keys: await described(keys, identity),
    };
  },
  (one) => one.ring,
);

vectors<BackupCase>(
  'backup',
  async ({ identity, backup, password }) => {
    const read = () => Promise.resolve({ backup, tag: '' });
    const refused = () => Promise.resolve(false);
    const backups = { read, write: refused, remove: refused };
    const opened = await openBackup(parseIdentity(identity), password, { backups });
    if (!opened) throw new TypeError('There is one.');
    const { generation, savedAt, keys } = opened;
    return { generation, savedAt, keys: await described(keys, identity) };
  },
  (one) => one.value,
);
