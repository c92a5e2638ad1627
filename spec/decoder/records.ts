/** What rests under a key or a password, and the login secret: key-record.md. */
import { argon2Sync } from 'node:crypto';
import { expand, extract, L, lp, Reader, require, sha256, uint } from './bytes.ts';
import { aead } from './envelope.ts';
import { isIdentity } from './json.ts';

const DAMAGED = 'KEY_RECORD_DAMAGED';

function argon2id(password: string, salt: Buffer, memory: number, passes: number, lanes: number) {
  return argon2Sync('argon2id', {
    message: Buffer.from(password.normalize('NFC')),
    nonce: salt,
    memory,
    passes,
    parallelism: lanes,
    tagLength: 32,
  });
}

/** Opens a key record. */
export function openKeyRecord(name: string, record: Buffer, password: string): Buffer {
  require(isUnicode(password), 'INVALID_ARGUMENT');
  const reader = new Reader(record, DAMAGED);
  const [version, memory, passes, lanes] = [
    reader.uint(1),
    reader.uint(4),
    reader.uint(4),
    reader.uint(1),
  ];
  const salt = reader.take(16);
  const parameters = record.subarray(0, reader.offset);
  const [check, nonce, ciphertext] = [reader.take(32), reader.take(24), reader.rest()];
  require(version === 1 && lanes >= 1 && lanes <= 4 && passes >= 1 && passes <= 16, DAMAGED);
  require(memory >= 8 * lanes && memory <= 256 * 1024, DAMAGED);
  const stretched = argon2id(password, salt, memory, passes, lanes);
  require(expand(stretched, 'record-check', [], 32).equals(check), 'WRONG_PASSWORD');
  const associated = Buffer.concat([L('record'), lp(2, Buffer.from(name)), parameters]);
  const key = expand(stretched, 'record-key', [], 32);
  const secret = xaead(key, nonce, ciphertext, associated);
  require(secret !== null, DAMAGED);
  return secret;
}

/** The key of state records, from the private keys of a card or the secret of a device. */
export function stateKey(secret: Buffer): Buffer {
  return expand(extract('state-key', secret), 'state-key', [], 32);
}

/** What the names of a device's state records begin with. */
export function stateScope(deviceSecret: Buffer): string {
  const scope = expand(extract('state-key', deviceSecret), 'state-scope', [], 16);
  return `device-${scope.toString('hex')}`;
}

/** Opens a state record. */
export function openStateRecord(privateKeys: Buffer, name: string, record: Buffer): Buffer {
  const key = stateKey(privateKeys);
  const reader = new Reader(record, DAMAGED);
  const nonce = reader.take(24);
  const associated = Buffer.concat([L('state'), Buffer.from(name)]);
  const plaintext = xaead(key, nonce, reader.rest(), associated);
  require(plaintext !== null, DAMAGED);
  return plaintext;
}

/** The secret that signs a person in. */
export function authSecret(password: string, identity: string, origin: string): string {
  require(isIdentity(identity), 'INVALID_IDENTITY');
  require(password !== '' && isUnicode(password) && isOrigin(origin), 'INVALID_ARGUMENT');
  const salt = sha256(L('login-salt'), lp(2, Buffer.from(origin)), Buffer.from(identity));
  const stretched = argon2id(password, salt, 64 * 1024, 3, 1);
  return expand(stretched, 'login-auth', [], 32).toString('base64url');
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function isUnicode(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

/** XChaCha20-Poly1305: a subkey from the first 16 bytes of the nonce, ChaCha20-Poly1305 with the rest. */
function xaead(key: Buffer, nonce: Buffer, ciphertext: Buffer, associated: Buffer): Buffer | null {
  const short = Buffer.concat([uint(0, 4), nonce.subarray(16)]);
  return aead(hchacha20(key, nonce.subarray(0, 16)), short, ciphertext, associated);
}

/** draft-irtf-cfrg-xchacha-03 §2.2: the ChaCha20 block function without its last addition. */
function hchacha20(key: Buffer, nonce: Buffer): Buffer {
  const words = ['expa', 'nd 3', '2-by', 'te k'].map((text) => Buffer.from(text).readUInt32LE());
  const input = Buffer.concat([key, nonce]);
  for (let at = 0; at < 48; at += 4) words.push(input.readUInt32LE(at));
  const s = Uint32Array.from(words);
  const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
  const word = (at: number): number => s[at] ?? 0;
  const quarter = (a: number, b: number, c: number, d: number): void => {
    for (const [first, second] of [
      [16, 12],
      [8, 7],
    ] as const) {
      s[a] = word(a) + word(b);
      s[d] = rotate(word(d) ^ word(a), first);
      s[c] = word(c) + word(d);
      s[b] = rotate(word(b) ^ word(c), second);
    }
  };
  for (let round = 0; round < 10; round += 1) {
    for (let i = 0; i < 4; i += 1) quarter(i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i += 1) {
      quarter(i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3));
    }
  }
  const output = Buffer.alloc(32);
  for (let i = 0; i < 4; i += 1) {
    output.writeUInt32LE(word(i), 4 * i);
    output.writeUInt32LE(word(12 + i), 16 + 4 * i);
  }
  return output;
}
