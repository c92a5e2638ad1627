/** Vectors of key records, state records and the login secret. */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { argon2id } from '@noble/hashes/argon2.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { deriveAuthSecret, sealKeyRecord } from 'twilio-chat-encryption/protocol';
import type { KeyRecordCase, LoginCase, StateRecordCase, VectorFile } from '../vector-files.ts';
import { flipped, L, uint } from './craft.ts';
import { alice } from './people.ts';
import { bytesOf, source } from './source.ts';

const DAMAGED = 'KEY_RECORD_DAMAGED';
const NAME = 'key/alice';

interface Cost {
  readonly version?: number;
  readonly memory?: number;
  readonly passes?: number;
  readonly lanes?: number;
}

/** The parameters of a record, whatever they are. */
function parametersOf({ version = 1, memory = 8, passes = 1, lanes = 1 }: Cost): Uint8Array {
  const salt = bytesOf('cheap record/salt', 16);
  return concatBytes(uint(version, 1), uint(memory, 4), uint(passes, 4), uint(lanes, 1), salt);
}

/** A record by the specification alone, with parameters that cost next to nothing. */
export function cheap(secret: Uint8Array, cost: Cost = {}, recordName = NAME): Uint8Array {
  const parameters = parametersOf(cost);
  const { memory: m = 8, passes: t = 1, lanes: p = 1 } = cost;
  const options = { m, t, p, dkLen: 32 };
  const stretched = argon2id(utf8ToBytes('password'), parameters.slice(10), options);
  const nonce = bytesOf('cheap record/nonce', 24);
  const name = utf8ToBytes(recordName);
  const associated = concatBytes(L('record'), uint(name.length, 2), name, parameters);
  const key = expand(sha256, stretched, L('record-key'), 32);
  const ciphertext = xchacha20poly1305(key, nonce, associated).encrypt(secret);
  return concatBytes(
    parameters,
    expand(sha256, stretched, L('record-check'), 32),
    nonce,
    ciphertext,
  );
}

/** `key-record.json`. */
export async function keyRecordVectors(): Promise<VectorFile<KeyRecordCase>> {
  // What a device stores: its three secrets, and its card.
  const secrets = ['signing', 'encryption', 'post-quantum'].map((one) => bytesOf(`alice/${one}`));
  const secret = new Uint8Array(concatBytes(...secrets, utf8ToBytes(alice.vector.card)));
  const random = source('key record');
  const record = await sealKeyRecord(NAME, secret, 'pässword', random);
  const short = bytesOf('short secret');
  const small = cheap(short);
  const one = (
    name: string,
    result: string,
    bytes: Uint8Array,
    { password = 'password', recordName = NAME, opened }: Opened = {},
  ): KeyRecordCase => ({
    name,
    result,
    record: bytesToHex(bytes),
    recordName,
    password,
    ...(opened && { secret: bytesToHex(opened) }),
  });
  const planted: readonly (readonly [string, Cost])[] = [
    ['version 0', { version: 0 }],
    ['version 2', { version: 2 }],
    ['256 MiB of memory and one KiB', { memory: 256 * 1024 + 1 }],
    ['4 TiB of memory', { memory: 0xffff_ffff }],
    ['7 KiB of memory', { memory: 7 }],
    ['15 KiB of memory for two lanes', { memory: 15, lanes: 2 }],
    ['no pass', { passes: 0 }],
    ['17 passes', { passes: 17 }],
    ['no lane', { lanes: 0 }],
    ['5 lanes', { lanes: 5, memory: 64 }],
  ];
  const flips: readonly (readonly [string, number, string])[] = [
    ['salt', 10, 'WRONG_PASSWORD'],
    ['check', 26, 'WRONG_PASSWORD'],
    ['nonce', 58, DAMAGED],
    ['ciphertext', 82, DAMAGED],
    ['tag', -1, DAMAGED],
  ];
  return {
    description: 'Secrets under a password.',
    page: 'key-record.md',
    cases: [
      one('the key record of a device', 'ok', record, { password: 'pässword', opened: secret }),
      one('the password in another Unicode form', 'ok', record, {
        password: 'pa\u0308ssword',
        opened: secret,
      }),
      one('another password', 'WRONG_PASSWORD', record, { password: 'passwort' }),
      one('a record of other parameters', 'ok', small, { opened: short }),
      one('two lanes and three passes', 'ok', cheap(short, { memory: 16, lanes: 2, passes: 3 }), {
        opened: short,
      }),
      one('the most lanes and passes', 'ok', cheap(short, { memory: 32, lanes: 4, passes: 16 }), {
        opened: short,
      }),
      one('a secret of no bytes', 'ok', cheap(new Uint8Array()), { opened: new Uint8Array() }),
      one('no password', 'WRONG_PASSWORD', small, { password: '' }),
      one('a password with a lone surrogate', 'INVALID_ARGUMENT', small, { password: 'p\ud83d' }),
      one('a password in upper case', 'WRONG_PASSWORD', small, { password: 'PASSWORD' }),
      one('another name', DAMAGED, small, { recordName: 'key/bob' }),
      one('more memory than it was made with', 'WRONG_PASSWORD', changedCost(small, { memory: 9 })),
      ...flips.map(([what, at, result]) =>
        one(`a flipped bit in the ${what}`, result, flipped(small, at)),
      ),
      ...planted.map(([what, cost]) => one(what, DAMAGED, changedCost(small, cost))),
      one('a byte more', DAMAGED, concatBytes(small, Uint8Array.of(0))),
      one('a byte less', DAMAGED, small.slice(0, -1)),
      one('without a ciphertext', DAMAGED, small.slice(0, 82)),
      one('cut in the nonce', DAMAGED, small.slice(0, 81)),
      one('cut in the parameters', DAMAGED, small.slice(0, 9)),
      one('no bytes', DAMAGED, new Uint8Array()),
    ],
  };
}

interface Opened {
  readonly password?: string;
  readonly recordName?: string;
  readonly opened?: Uint8Array;
}

function changedCost(record: Uint8Array, cost: Cost): Uint8Array {
  return concatBytes(parametersOf(cost), record.slice(26));
}

/** `stateKey(x)`. */
export function stateKeyOf(secret: Uint8Array): Uint8Array {
  return expand(sha256, extract(sha256, secret, L('state-key')), L('state-key'), 32);
}

/** `scope`. */
export function stateScopeOf(deviceSecret: Uint8Array): string {
  const prk = extract(sha256, deviceSecret, L('state-key'));
  return `device-${bytesToHex(expand(sha256, prk, L('state-scope'), 16))}`;
}

/** `state-record.json`. */
export function stateRecordVectors(): VectorFile<StateRecordCase> {
  const privateKeys = bytesOf('state/keys', 96);
  const key = stateKeyOf(privateKeys);
  const nonce = bytesOf('state/nonce', 24);
  const recordName = 'pins/["alice","bob"]';
  const plaintext = utf8ToBytes(`{"pinned":["${'ab'.repeat(32)}"],"changed":[]}`);
  const associated = concatBytes(L('state'), utf8ToBytes(recordName));
  const record = concatBytes(nonce, xchacha20poly1305(key, nonce, associated).encrypt(plaintext));
  const one = (name: string, result: string, changes: Partial<StateRecordCase> = {}) => ({
    name,
    result,
    privateKeys: bytesToHex(privateKeys),
    record: bytesToHex(record),
    recordName,
    ...changes,
    ...(result === 'ok' && { plaintext: bytesToHex(plaintext) }),
  });
  const bytes = (changed: Uint8Array) => ({ record: bytesToHex(changed) });
  return {
    description: 'What a device remembers, under a key that is derived from its private keys.',
    page: 'key-record.md',
    cases: [
      one('a record', 'ok'),
      one('under another name', DAMAGED, { recordName: 'pins/["alice","carol"]' }),
      one('of another device', DAMAGED, { privateKeys: bytesToHex(bytesOf('other', 96)) }),
      one('a flipped bit in the nonce', DAMAGED, bytes(flipped(record, 0))),
      one('a flipped bit in the ciphertext', DAMAGED, bytes(flipped(record, 24))),
      one('a flipped bit in the tag', DAMAGED, bytes(flipped(record, -1))),
      one('a byte more', DAMAGED, bytes(concatBytes(record, Uint8Array.of(0)))),
      one('cut in the tag', DAMAGED, bytes(record.slice(0, 30))),
      one('cut in the nonce', DAMAGED, bytes(record.slice(0, 23))),
      one('no bytes', DAMAGED, bytes(hexToBytes(''))),
    ],
  };
}

/** `login.json`. */
export async function loginVectors(): Promise<VectorFile<LoginCase>> {
  const good: readonly Omit<LoginCase, 'name' | 'result'>[] = [
    { password: 'correct horse', identity: 'bc', origin: 'https://a' },
    { password: 'cörrect horse', identity: 'Ålice', origin: 'https://chat.example' },
  ];
  const [plain, accents] = await Promise.all(
    good.map(({ password, identity, origin }) => deriveAuthSecret(password, identity, origin)),
  );
  const [first, second] = good;
  if (!plain || !accents || !first || !second) throw new Error('There are two.');
  const bad = (name: string, result: string, changes: Partial<LoginCase>): LoginCase => ({
    ...first,
    name,
    result,
    ...changes,
  });
  return {
    description: 'The secret that signs a person in.',
    page: 'key-record.md',
    cases: [
      { name: 'a secret', result: 'ok', ...first, authSecret: plain },
      { name: 'letters outside of ASCII', result: 'ok', ...second, authSecret: accents },
      bad('no password', 'INVALID_ARGUMENT', { password: '' }),
      bad('a password with a lone surrogate', 'INVALID_ARGUMENT', { password: 'horse \ud83d' }),
      bad('no origin', 'INVALID_ARGUMENT', { origin: '' }),
      bad('an origin without a scheme', 'INVALID_ARGUMENT', { origin: 'a' }),
      bad('an origin with a slash behind it', 'INVALID_ARGUMENT', { origin: 'https://a/' }),
      bad('an origin in upper case', 'INVALID_ARGUMENT', { origin: 'https://A' }),
      bad('an origin with the usual port', 'INVALID_ARGUMENT', { origin: 'https://a:443' }),
      bad('an opaque origin', 'INVALID_ARGUMENT', { origin: 'null' }),
      bad('no identity', 'INVALID_IDENTITY', { identity: '' }),
      bad('an identity that is not NFC', 'INVALID_IDENTITY', { identity: 'A\u030alice' }),
    ],
  };
}
