/** A device's keys: made at the first run, unlocked at the later ones, and held while it is open. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import type { VerifyingKey } from '../protocol/curves.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import { openKeyRecord, sealKeyRecord } from '../protocol/key-record.ts';
import { decodeRing, encodeRing, type StoredRing } from '../protocol/key-ring.ts';
import { equal, type Bytes, type RandomSource } from '../protocol/primitives.ts';
import { deriveScope, deriveStateKey } from '../protocol/state-record.ts';
import type { Directory } from './directory.ts';
import type { KeyStore } from './key-store.ts';
import {
  approvedCard,
  importOwnCard,
  makeKeys,
  wasApproved,
  type ApprovalContext,
  type OwnCard,
} from './own-card.ts';
import { sealedKeyStore } from './sealed-key-store.ts';
import type { Records } from './state.ts';

/** The private keys of an open device. */
export interface DeviceKeys {
  /**
   * The card that it sends under.
   * @throws EncryptionError `CLOSED` after {@link forget}
   */
  readonly current: () => OwnCard;
  /** All that it can read with, the current one first; none after {@link forget}. */
  readonly all: () => readonly OwnCard[];
  /** The one with this card, or null. */
  readonly find: (id: CardId) => OwnCard | null;
  /** Sends under this card from now on, and reads with these. */
  readonly replace: (current: OwnCard, others: readonly OwnCard[]) => void;
  readonly forget: () => void;
}

/** The keys of a device that was just opened. */
export function deviceKeys(first: OwnCard, others: readonly OwnCard[]): DeviceKeys {
  let all: readonly OwnCard[] = [first, ...others];
  return {
    current() {
      const [current] = all;
      if (current) return current;
      throw new EncryptionError('CLOSED', 'This device was closed. Open it again.');
    },
    all: () => all,
    find: (id) => all.find(({ card }) => card.id === id) ?? null,
    replace(current, rest) {
      all = [current, ...rest];
    },
    forget() {
      all = [];
    },
  };
}

/** What {@link openDeviceKeys} gives. */
export interface OpenedDevice {
  readonly keys: DeviceKeys;
  /** The record of the keys, as it was stored then. */
  readonly record: StoredRecord;
  /** What the names of the device's records begin with. */
  readonly scope: string;
  /** What the device remembers. */
  readonly records: Records;
}

/** A record in a key store. */
export interface StoredRecord {
  readonly name: string;
  readonly bytes: Bytes;
}

/** What {@link openDeviceKeys} works with. */
export interface DeviceKeysOptions {
  readonly identity: Identity;
  readonly password: string;
  readonly keyStore: KeyStore;
  readonly directory: Directory;
  readonly appKeys: readonly VerifyingKey[];
  readonly device: string | undefined;
  /** Whether a new card gets a key of suite 2, and an existing one must have it. */
  readonly postQuantum: boolean;
  /** Another card of this person, which vouches for a new one. */
  readonly endorser?: OwnCard;
  readonly random: RandomSource;
  readonly now: () => number;
}

const DEVICE_SECRET_LENGTH = 32;

/** The name of the record of this person's keys. */
export function recordNameOf(identity: Identity): string {
  return `key/${identity}`;
}

/** Whether there is a device of this person, which opens with its password; errors of the key store. */
export async function hasDevice(identity: Identity, keyStore: KeyStore): Promise<boolean> {
  return (await keyStore.get(recordNameOf(identity))) !== null;
}

/**
 * Deletes the keys of this person's device: what it remembers opens to nobody then. Errors of the key store,
 * and `DEVICE_BUSY`.
 */
export async function removeDevice(identity: Identity, keyStore: KeyStore): Promise<void> {
  const name = recordNameOf(identity);
  await keyStore.lock(name, () => keyStore.update(name, () => null));
}

/**
 * Unlocks the device's keys, or makes them, and has the card approved and published. The keys are
 * stored before the card is published: a crash between the two is mended by the next opening.
 * @throws EncryptionError `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, `KEY_STORE_UNAVAILABLE`, `KEY_STORE_FULL`,
 * `OWN_CARD_INVALID`, the directory's errors, `INVALID_ARGUMENT` when suite 2 is asked for and the
 * device's card was made without it, and `POST_QUANTUM_UNAVAILABLE`, `DEVICE_BUSY`
 */
export async function openDeviceKeys(options: DeviceKeysOptions): Promise<OpenedDevice> {
  const { identity, password, keyStore, random } = options;
  const name = recordNameOf(identity);
  // Tabs that start at once make one key: the others wait for it.
  const bytes =
    (await keyStore.get(name)) ??
    (await keyStore.lock(name, async () => {
      return (await keyStore.get(name)) ?? (await makeRecord(name, options));
    }));
  const secret = await openRing(name, bytes, password);
  try {
    const ring = decodeRing(secret);
    const stateKey = deriveStateKey(ring.deviceSecret);
    const scope = deriveScope(ring.deviceSecret);
    const records = sealedKeyStore(keyStore, scope, stateKey, random);
    const context = { ...options, records };
    const record = { name, bytes };
    try {
      return { keys: await importKeys(ring, context), record, scope, records };
    } catch (error) {
      if (!isEncryptionError(error, 'DIRECTORY_REFUSED')) throw error;
      const remade = await remake(ring, record, context);
      if (!remade) throw error;
      return {
        keys: await importKeys(remade.ring, context),
        record: remade.record,
        scope,
        records,
      };
    }
  } finally {
    secret.fill(0);
  }
}

async function makeRecord(name: string, options: DeviceKeysOptions): Promise<Bytes> {
  const { password, keyStore, random, now } = options;
  const deviceSecret = random(DEVICE_SECRET_LENGTH);
  const { endorser } = options;
  const vouching = endorser ? { endorser } : {};
  const keys = await makeKeys({ ...options, createdAt: now() }, random, vouching);
  const record = await sealRing(name, { deviceSecret, keys: [keys] }, password, random);
  for (const bytes of [deviceSecret, keys.secrets]) bytes.fill(0);
  // The first keys stay, whatever the store's locks are worth: nothing is overwritten.
  let kept = record;
  await keyStore.update(name, (current) => (kept = current ?? record));
  return kept;
}

/** The record of a ring; errors as `sealKeyRecord`. */
export async function sealRing(
  name: string,
  ring: StoredRing,
  password: string,
  random: RandomSource,
): Promise<Bytes> {
  const secret = encodeRing(ring);
  try {
    return await sealKeyRecord(name, secret, password, random);
  } finally {
    secret.fill(0);
  }
}

/**
 * What {@link sealRing} sealed, to be wiped after use.
 * @throws EncryptionError `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`
 */
export function openRing(name: string, record: Bytes, password: string): Promise<Bytes> {
  return openKeyRecord(name, record, password).catch((cause: unknown) => {
    if (!isEncryptionError(cause, 'WRONG_PASSWORD')) throw cause;
    const message = 'This is not the password of this device: it does not open its keys.';
    throw new EncryptionError('WRONG_PASSWORD', message, { cause, passwordOf: 'device' });
  });
}

/**
 * A first card that the server never approved, and refuses, gets other keys: its clock may have been wrong,
 * or whoever vouched for it may have ended meanwhile. Nobody has seen it.
 */
async function remake(
  ring: StoredRing,
  { name, bytes }: StoredRecord,
  options: DeviceKeysOptions & ApprovalContext,
): Promise<{ readonly ring: StoredRing; readonly record: StoredRecord } | null> {
  const { identity, keyStore, password, random, now, endorser } = options;
  const [refused, ...others] = ring.keys;
  if (!refused) return null;
  const { card } = await importOwnCard(refused, identity);
  if (card.previousCardId !== undefined || (await wasApproved(card, options.records))) return null;
  const vouching = endorser ? { endorser } : {};
  const made = await makeKeys({ ...options, createdAt: now() }, random, vouching);
  const keys = [made, ...others];
  const next = await sealRing(name, { ...ring, keys }, password, random);
  let stored = bytes;
  await keyStore.update(name, (current) => {
    stored = current && equal(current, bytes) ? next : (current ?? next);
    return stored;
  });
  // Another tab was faster: its keys are opened the next time.
  return equal(stored, next) ? { ring: { ...ring, keys }, record: { name, bytes: next } } : null;
}

async function importKeys(
  ring: StoredRing,
  options: DeviceKeysOptions & ApprovalContext,
): Promise<DeviceKeys> {
  const { identity, postQuantum } = options;
  const all = await Promise.all(ring.keys.map((stored) => importOwnCard(stored, identity)));
  const own = await currentOf(all, options);
  if (postQuantum && !own.card.pqEncryptionKey) throw withoutSuite();
  const card = await approvedCard(own.card, options);
  return deviceKeys(
    { ...own, card },
    all.filter((one) => one !== own),
  );
}

/**
 * The newest card, unless it is to replace another and was not published yet: then that happens now, and
 * the device goes on with the other one if it cannot.
 */
async function currentOf(all: readonly OwnCard[], context: ApprovalContext): Promise<OwnCard> {
  const [newest, before] = all;
  if (!newest) throw new TypeError('A ring has a key.');
  if (!before || newest.card.previousCardId !== before.card.id) return newest;
  if (await wasApproved(newest.card, context.records)) return newest;
  try {
    await approvedCard(newest.card, context);
    return newest;
  } catch (error) {
    if (isEncryptionError(error, 'DIRECTORY_UNREACHABLE')) return before;
    if (isEncryptionError(error, 'DIRECTORY_REFUSED')) return before;
    throw error;
  }
}

function withoutSuite(): EncryptionError {
  return new EncryptionError(
    'INVALID_ARGUMENT',
    "This device's card was made without postQuantum. It needs a new card: open with another key store.",
  );
}

/** Sends under this one from now on, and reads with the others. */
export function useFromNow(next: OwnCard, keys: DeviceKeys): void {
  const others = keys.all().filter((own) => own.card.id !== next.card.id);
  keys.replace(next, others);
}
