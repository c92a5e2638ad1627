/** What is in the key record of a device, and in a backup: key-record.md. */
import type { KeyRingCase, BackupCase, StoredKeysVector } from '../vector-files.ts';
import { base64url, Reader, Refused, require, utf8 } from './bytes.ts';
import { openCard, type Card } from './card.ts';
import { signingPublic, x25519Public, xwing } from './curves.ts';
import { openKeyRecord, stateKey, stateScope } from './records.ts';

const DAMAGED = 'KEY_RECORD_DAMAGED';

/** The key record of a device. */
export function openRing(
  identity: string,
  record: Buffer,
  password: string,
): NonNullable<KeyRingCase['ring']> {
  const reader = new Reader(openKeyRecord(`key/${identity}`, record, password), DAMAGED);
  require(reader.uint(1) === 1, DAMAGED);
  const deviceSecret = reader.take(32);
  return {
    deviceSecret: deviceSecret.toString('hex'),
    scope: stateScope(deviceSecret),
    stateKey: stateKey(deviceSecret).toString('hex'),
    keys: readKeys(reader, identity),
  };
}

/** A backup, as a server keeps it. */
export function openBackup(
  identity: string,
  backup: string,
  password: string,
): NonNullable<BackupCase['value']> {
  const record = base64url(backup);
  require(record !== null, DAMAGED);
  const reader = new Reader(openKeyRecord(`backup/${identity}`, record, password), DAMAGED);
  require(reader.uint(1) === 1, DAMAGED);
  const [generation, savedAt] = [reader.uint(4), reader.uint(8)];
  require(generation >= 1 && savedAt <= 8.64e15, DAMAGED);
  return { generation, savedAt, keys: readKeys(reader, identity) };
}

/** All that is left: the keys of one card after the other. */
function readKeys(reader: Reader, identity: string): readonly StoredKeysVector[] {
  const keys: StoredKeysVector[] = [];
  do {
    const privateKeys = reader.take(96);
    const card = utf8(reader.take(reader.uint(2)));
    require(card !== null, DAMAGED);
    const opened = checkedCard(card);
    require(opened.identity === identity && isOf(privateKeys, opened), DAMAGED);
    keys.push({
      cardId: opened.id,
      card,
      privateKeys: privateKeys.toString('hex'),
      stateKey: stateKey(privateKeys).toString('hex'),
    });
  } while (!reader.isAtEnd());
  return keys;
}

function checkedCard(exported: string): Card {
  try {
    return openCard(exported);
  } catch (error) {
    throw error instanceof Refused ? new Refused(DAMAGED) : error;
  }
}

function isOf(privateKeys: Buffer, { signingKey, encryptionKey, pqEncryptionKey }: Card): boolean {
  const [seed, secret, pqSeed] = [0, 32, 64].map((at) => privateKeys.subarray(at, at + 32));
  if (!seed || !secret || !pqSeed) return false;
  const isPqKey = pqEncryptionKey === null || xwing(pqSeed).publicKey.equals(pqEncryptionKey);
  return (
    signingPublic(seed).equals(signingKey) && x25519Public(secret).equals(encryptionKey) && isPqKey
  );
}
