/** A device's own key pair and card: made at the first run, unlocked at the later ones. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import { checkApproval, createCard, exportCard, importCard, type Card } from '../protocol/card.ts';
import {
  curves,
  type AgreementKey,
  type SigningKey,
  type VerifyingKey,
} from '../protocol/curves.ts';
import { xwing, type KemKey } from '../protocol/curves-xwing.ts';
import type { Identity } from '../protocol/identifiers.ts';
import { openKeyRecord, sealKeyRecord } from '../protocol/key-record.ts';
import { concat, utf8, utf8Text, type Bytes, type RandomSource } from '../protocol/primitives.ts';
import { deriveStateKey } from '../protocol/state-record.ts';
import type { Directory } from './directory.ts';
import type { KeyStore } from './key-store.ts';

/** A device's approved card and the private keys to it. */
export interface OwnCard {
  readonly card: Card;
  readonly signingKey: SigningKey;
  readonly encryptionKey: AgreementKey;
  /** Of suite 2; there when the card has such a key. */
  readonly pqEncryptionKey?: KemKey;
  /** Seals what the device remembers, 32 bytes. */
  readonly stateKey: Bytes;
}

/** An own card as {@link openOwnCard} gives it. */
export interface OpenedCard extends OwnCard {
  /** The record of the keys, as it was stored then. */
  readonly record: StoredRecord;
}

/** A record in a key store. */
export interface StoredRecord {
  readonly name: string;
  readonly bytes: Bytes;
}

/** What {@link openOwnCard} works with. */
export interface OwnCardOptions {
  readonly identity: Identity;
  readonly password: string;
  readonly keyStore: KeyStore;
  readonly directory: Directory;
  readonly appKeys: readonly VerifyingKey[];
  readonly device: string | undefined;
  /** Whether a new card gets a key of suite 2, and an existing one must have it. */
  readonly postQuantum: boolean;
  readonly random: RandomSource;
  readonly now: () => number;
}

// Key record: signing seed | X25519 secret | X-Wing seed | exported card. The X-Wing seed is always
// there, so that there is one form.
const SECRET_LENGTH = 32;
const SECRETS_LENGTH = 3 * SECRET_LENGTH;

/**
 * Unlocks the device's keys, or makes them, and has the card approved and published. The keys are
 * stored before the card is published: a crash between the two is mended by the next opening.
 * @throws EncryptionError `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, `KEY_STORE_UNAVAILABLE`,
 * `OWN_CARD_INVALID`, the directory's errors, `INVALID_ARGUMENT` when suite 2 is asked for and the
 * device's card was made without it, and `POST_QUANTUM_UNAVAILABLE`, `DEVICE_BUSY`
 */
export async function openOwnCard(options: OwnCardOptions): Promise<OpenedCard> {
  const { identity, password, keyStore } = options;
  const name = `key/${identity}`;
  // Tabs that start at once make one key: the others wait for it.
  const bytes =
    (await keyStore.get(name)) ??
    (await keyStore.lock(name, async () => {
      return (await keyStore.get(name)) ?? (await makeRecord(name, options));
    }));
  const secret = await openKeyRecord(name, bytes, password);
  try {
    const exported = utf8Text(secret.slice(SECRETS_LENGTH)) ?? '';
    const card = await importCard(exported).catch(() => null);
    if (card?.identity !== identity) throw damaged();
    if (options.postQuantum && !card.pqEncryptionKey) throw withoutSuite();
    const [signingSeed, encryptionSecret, pqSeed] = split(secret);
    const backEnd = await curves();
    return {
      record: { name, bytes },
      signingKey: await backEnd.importSigningKey(signingSeed),
      encryptionKey: await backEnd.importAgreementKey(encryptionSecret),
      // Also when the option is off now: a card that has the key is sent messages of suite 2. At
      // once and not when it is needed: until then the seed would have to be kept.
      ...(card.pqEncryptionKey && { pqEncryptionKey: await (await xwing()).importKey(pqSeed) }),
      stateKey: deriveStateKey(secret.subarray(0, SECRETS_LENGTH)),
      card: await approvedCard(card, options),
    };
  } finally {
    secret.fill(0);
  }
}

async function makeRecord(name: string, options: OwnCardOptions): Promise<Bytes> {
  const { identity, password, keyStore, device, random, now } = options;
  const backEnd = await curves();
  const secrets = random(SECRETS_LENGTH);
  const [signingSeed, encryptionSecret, pqSeed] = split(secrets);
  const card = await createCard(
    { identity, createdAt: now(), ...(device !== undefined && { device }) },
    await backEnd.importSigningKey(signingSeed),
    await backEnd.importAgreementKey(encryptionSecret),
    ...(options.postQuantum ? [await (await xwing()).importKey(pqSeed)] : []),
  );
  const secret = concat(secrets, utf8(exportCard(card)));
  const record = await sealKeyRecord(name, secret, password, random);
  for (const bytes of [secret, secrets]) bytes.fill(0);
  // The first keys stay, whatever the store's locks are worth: nothing is overwritten.
  let kept = record;
  await keyStore.update(name, (current) => (kept = current ?? record));
  return kept;
}

/** Views of the signing seed, the X25519 secret and the X-Wing seed. */
function split(secrets: Bytes): readonly [Bytes, Bytes, Bytes] {
  const part = (index: number): Bytes =>
    secrets.subarray(index * SECRET_LENGTH, (index + 1) * SECRET_LENGTH);
  return [part(0), part(1), part(2)];
}

async function approvedCard(card: Card, options: OwnCardOptions): Promise<Card> {
  const { keyStore, directory, appKeys } = options;
  const name = `card/${card.id}`;
  const stored = await keyStore.get(name);
  try {
    const exported = await directory.publish(exportCard(card));
    const approved = await checkOwn(card, exported, appKeys);
    await keyStore.update(name, () => utf8(exported));
    return approved;
  } catch (error) {
    // Without the server a device that was approved before can still read, and write to those
    // whose cards it knows.
    if (!stored || !isEncryptionError(error, 'DIRECTORY_UNREACHABLE')) throw error;
    return checkOwn(card, utf8Text(stored) ?? '', appKeys);
  }
}

async function checkOwn(
  card: Card,
  exported: string,
  appKeys: readonly VerifyingKey[],
): Promise<Card> {
  try {
    const approved = await importCard(exported);
    await checkApproval(approved, appKeys);
    if (approved.id === card.id) return approved;
  } catch (cause) {
    throw ownCardInvalid(cause);
  }
  throw ownCardInvalid();
}

function ownCardInvalid(cause?: unknown): EncryptionError {
  return new EncryptionError(
    'OWN_CARD_INVALID',
    "The server did not approve this device's card under a pinned application key. Check appKey.",
    { cause },
  );
}

function withoutSuite(): EncryptionError {
  return new EncryptionError(
    'INVALID_ARGUMENT',
    "This device's card was made without postQuantum. It needs a new card: open with another key store.",
  );
}

function damaged(): EncryptionError {
  return new EncryptionError('KEY_RECORD_DAMAGED', 'The stored key is not what was saved.');
}
