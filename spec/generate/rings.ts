/** Vectors of what is in the key record of a device, and in a backup. */
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import {
  approveCard,
  base64url,
  createCard,
  curves,
  endorseCard,
  exportCard,
  parseIdentity,
  succeedCard,
  xwing,
  type Card,
  type CardContent,
} from 'twilio-chat-encryption/protocol';
import type { BackupCase, KeyRingCase, StoredKeysVector, VectorFile } from '../vector-files.ts';
import { flipped, uint } from './craft.ts';
import { APP_KEY, APPROVED, CREATED } from './people.ts';
import { cheap, stateKeyOf, stateScopeOf } from './records.ts';
import { bytesOf } from './source.ts';

const DAMAGED = 'KEY_RECORD_DAMAGED';
const IDENTITY = 'alice';
const PASSWORD = 'password';
const LAST_TIME = 8_640_000_000_000_000;

/** A card and its keys. */
interface Stored {
  readonly card: Card;
  readonly signingKey: Awaited<ReturnType<typeof keysOf>>['signingKey'];
  readonly privateKeys: Uint8Array;
}

async function keysOf(name: string) {
  const seeds = ['signing', 'encryption', 'post-quantum'].map((one) => bytesOf(`${name}/${one}`));
  const [signing, encryption, postQuantum] = seeds;
  if (!signing || !encryption || !postQuantum) throw new Error('There are three.');
  const backEnd = await curves();
  return {
    privateKeys: concatBytes(...seeds),
    signingKey: await backEnd.importSigningKey(signing),
    encryptionKey: await backEnd.importAgreementKey(encryption),
    pqKey: await (await xwing()).importKey(postQuantum),
  };
}

/** Fresh keys of this name and a card for them, before its approval. */
async function stored(
  name: string,
  { pq = false, ...content }: Partial<CardContent> & { readonly pq?: boolean } = {},
): Promise<Stored> {
  const { privateKeys, signingKey, encryptionKey, pqKey } = await keysOf(name);
  const card = await createCard(
    { identity: parseIdentity(IDENTITY), createdAt: CREATED, ...content },
    ...([signingKey, encryptionKey] as const),
    ...(pq ? [pqKey] : []),
  );
  return { card, signingKey, privateKeys };
}

const phone = await stored('ring/phone', { device: 'phone' });
const tablet = await stored('ring/tablet', { device: 'tablet', pq: true });
const rotated = await stored('ring/rotated', { device: 'phone', previousCardId: phone.card.id });
const bob = await stored('ring/bob', { identity: parseIdentity('bob') });
const succeeding: Stored = { ...rotated, card: await succeedCard(rotated.card, phone.signingKey) };
const endorsed: Stored = {
  ...tablet,
  card: await endorseCard(tablet.card, { id: phone.card.id, signingKey: phone.signingKey }),
};
const approved: Stored = { ...phone, card: await approveCard(phone.card, APP_KEY, APPROVED) };

/** Private keys beside the text of a card, whatever they are. */
function entry(privateKeys: Uint8Array, card: Uint8Array, length = card.length): Uint8Array {
  return concatBytes(privateKeys, uint(length, 2), card);
}

const exported = ({ card }: Stored): Uint8Array => utf8ToBytes(exportCard(card));
const entryOf = (one: Stored): Uint8Array => entry(one.privateKeys, exported(one));

function vectorOf({ card, privateKeys }: Stored): StoredKeysVector {
  return {
    cardId: card.id,
    card: exportCard(card),
    privateKeys: bytesToHex(privateKeys),
    stateKey: bytesToHex(stateKeyOf(privateKeys)),
  };
}

/** The card with a signature that is not its own. */
function forged({ card, privateKeys }: Stored): Uint8Array {
  const signatures = card.signatures.map((one) => ({
    ...one,
    signature: flipped(one.signature, 0),
  }));
  return entry(privateKeys, utf8ToBytes(exportCard({ ...card, signatures })));
}

const first = entryOf(phone);
const own = exported(phone);
const swapped = (at: number, one: Stored): Uint8Array =>
  entry(
    concatBytes(
      one.privateKeys.slice(0, at),
      bytesOf('another key'),
      one.privateKeys.slice(at + 32),
    ),
    exported(one),
  );

/** What keys are never, in a ring and in a backup alike. */
const brokenKeys: readonly (readonly [string, Uint8Array])[] = [
  ['no keys', new Uint8Array()],
  ['private keys cut short', phone.privateKeys.slice(0, 95)],
  ['no length of the card', phone.privateKeys],
  ['a length cut short', first.slice(0, 97)],
  ['a card of no bytes', entry(phone.privateKeys, new Uint8Array())],
  ['a card shorter than its length', entry(phone.privateKeys, own, own.length + 1)],
  ['a card longer than its length', entry(phone.privateKeys, own, own.length - 1)],
  ['a byte behind the last card', concatBytes(first, Uint8Array.of(0))],
  ['a second entry cut short', concatBytes(first, first.slice(0, -1))],
  ['a card that is not ASCII', entry(phone.privateKeys, Uint8Array.of(0xff))],
  [
    'a card with a line break behind it',
    entry(phone.privateKeys, concatBytes(own, utf8ToBytes('\n'))),
  ],
  ['a card that is none', entry(phone.privateKeys, utf8ToBytes('e30'))],
  ['a card that its own key did not sign', forged(phone)],
  ['a second card that its own key did not sign', concatBytes(entryOf(succeeding), forged(phone))],
  ['the card of somebody else', entryOf(bob)],
  ['the card of somebody else behind one’s own', concatBytes(first, entryOf(bob))],
  ['another signing seed than that of the card', swapped(0, phone)],
  ['another X25519 secret than that of the card', swapped(32, phone)],
  ['another X-Wing seed than that of a card of suite 2', swapped(64, endorsed)],
  ['the keys of two cards exchanged', entry(phone.privateKeys, exported(succeeding))],
];

/** `key-ring.json`. */
export function keyRingVectors(): VectorFile<KeyRingCase> {
  const deviceSecret = bytesOf('ring/device secret');
  const ringOf = (...keys: readonly Uint8Array[]): Uint8Array =>
    concatBytes(uint(1, 1), deviceSecret, ...keys);
  const sealed = (secret: Uint8Array): string => bytesToHex(cheap(secret, {}, `key/${IDENTITY}`));
  const good = (name: string, ...keys: readonly Stored[]): KeyRingCase => ({
    name,
    result: 'ok',
    identity: IDENTITY,
    record: sealed(ringOf(...keys.map(entryOf))),
    password: PASSWORD,
    ring: {
      deviceSecret: bytesToHex(deviceSecret),
      scope: stateScopeOf(deviceSecret),
      stateKey: bytesToHex(stateKeyOf(deviceSecret)),
      keys: keys.map(vectorOf),
    },
  });
  const bad = (
    name: string,
    secret: Uint8Array,
    { result = DAMAGED, ...changes }: Partial<KeyRingCase> = {},
  ): KeyRingCase => ({
    name,
    result,
    identity: IDENTITY,
    record: sealed(secret),
    password: PASSWORD,
    ...changes,
  });
  const ring = ringOf(first);
  return {
    description: 'The keys of a device, in its key record.',
    page: 'key-record.md',
    cases: [
      good('one card', phone),
      good('a card and the one that it replaced', succeeding, phone),
      good('cards of both suites; another one vouches for the first', endorsed, phone),
      good('a card with its approval', approved),
      bad('another password', ring, { result: 'WRONG_PASSWORD', password: 'Password' }),
      bad('under another name', ring, { identity: 'bob' }),
      bad('a backup in its place', concatBytes(backupHeader({}), first)),
      bad('no bytes', new Uint8Array()),
      bad('version 0', concatBytes(uint(0, 1), ring.slice(1))),
      bad('version 2', concatBytes(uint(2, 1), ring.slice(1))),
      bad('a version alone', ring.slice(0, 1)),
      bad('a device secret cut short', ring.slice(0, 32)),
      ...brokenKeys.map(([name, keys]) => bad(name, ringOf(keys))),
    ],
  };
}

interface Header {
  readonly version?: number;
  readonly generation?: number;
  readonly savedAt?: bigint | number;
}

function backupHeader({ version = 1, generation = 1, savedAt = CREATED }: Header): Uint8Array {
  return concatBytes(uint(version, 1), uint(generation, 4), uint(savedAt, 8));
}

/** `backup.json`. */
export function backupVectors(): VectorFile<BackupCase> {
  const seal = (secret: Uint8Array): Uint8Array => cheap(secret, {}, `backup/${IDENTITY}`);
  const good = (
    name: string,
    header: { readonly generation: number; readonly savedAt: number },
    ...keys: readonly Stored[]
  ): BackupCase => ({
    name,
    result: 'ok',
    identity: IDENTITY,
    backup: base64url.encode(seal(concatBytes(backupHeader(header), ...keys.map(entryOf)))),
    password: PASSWORD,
    value: { ...header, keys: keys.map(vectorOf) },
  });
  const bad = (name: string, backup: string, changes: Partial<BackupCase> = {}): BackupCase => ({
    name,
    result: DAMAGED,
    identity: IDENTITY,
    backup,
    password: PASSWORD,
    ...changes,
  });
  const of = (secret: Uint8Array): string => base64url.encode(seal(secret));
  const secret = concatBytes(backupHeader({}), first);
  const record = seal(secret);
  const text = base64url.encode(record);
  const headers: readonly (readonly [string, Header])[] = [
    ['version 0', { version: 0 }],
    ['version 2', { version: 2 }],
    ['generation 0', { generation: 0 }],
    ['a time behind the last', { savedAt: LAST_TIME + 1 }],
    ['a time of 2^53', { savedAt: 2n ** 53n }],
    ['a time of 2^64 − 1', { savedAt: 2n ** 64n - 1n }],
  ];
  return {
    description: 'What a server keeps of a person’s keys.',
    page: 'key-record.md',
    cases: [
      good('the first, of one card', { generation: 1, savedAt: CREATED }, phone),
      good(
        'the keys of two devices',
        { generation: 2, savedAt: APPROVED },
        succeeding,
        phone,
        endorsed,
      ),
      good('the last generation and time', { generation: 0xffff_ffff, savedAt: LAST_TIME }, phone),
      good('the first time', { generation: 1, savedAt: 0 }, phone),
      bad('another password', text, { result: 'WRONG_PASSWORD', password: 'Password' }),
      bad('that of somebody else', text, { identity: 'bob' }),
      bad(
        'the key record of a device in its place',
        base64url.encode(cheap(secret, {}, `key/${IDENTITY}`)),
      ),
      bad('a ring in its place', of(concatBytes(uint(1, 1), bytesOf('ring/device secret'), first))),
      bad('a flipped bit in the tag', base64url.encode(flipped(record, -1))),
      bad('no text', ''),
      bad('a line break behind it', `${text}\n`),
      bad('with padding', `${text}=`),
      bad('a character less', text.slice(0, -1)),
      ...headers.map(([name, header]) => bad(name, of(concatBytes(backupHeader(header), first)))),
      bad('no bytes', of(new Uint8Array())),
      bad('a header cut short', of(secret.slice(0, 12))),
      ...brokenKeys.map(([name, keys]) => bad(name, of(concatBytes(backupHeader({}), keys)))),
    ],
  };
}
