/** Changing what keys a device has: replacing its card, deleting old keys, another password. */
import { EncryptionError } from '../errors.ts';
import type { Identity } from '../protocol/identifiers.ts';
import { openKeyRecord } from '../protocol/key-record.ts';
import type { RandomSource } from '../protocol/primitives.ts';
import type { CardBook } from './card-book.ts';
import type { DeletedKeys } from './deleted-keys.ts';
import { sealRing, type DeviceKeys } from './device-keys.ts';
import { decodeRing, type StoredRing } from './key-ring.ts';
import type { KeyStore } from './key-store.ts';
import {
  approvedCard,
  importOwnCard,
  makeKeys,
  type ApprovalContext,
  type OwnCard,
} from './own-card.ts';
import type { Pins } from './pins.ts';
import type { Presence } from './presence.ts';

/** What changing the ring works with. */
export interface RingContext {
  readonly keyStore: KeyStore;
  readonly presence: Presence;
  readonly random: RandomSource;
}

/** What rotating works with. */
export interface RotationContext extends RingContext, ApprovalContext {
  readonly identity: Identity;
  readonly keys: DeviceKeys;
  readonly cards: CardBook;
  readonly pins: Pins;
  readonly deleted: DeletedKeys;
  readonly now: () => number;
}

/** What becomes of a ring, and what else is to be known of it. */
interface Changed<T> {
  /** Null: it stays as it is. */
  readonly ring: StoredRing | null;
  readonly result: T;
}

/**
 * Changes the keys at rest.
 * @param change may use the secrets of the ring while it runs; they are wiped afterwards
 * @param nextPassword what they are sealed under from then on
 * @throws EncryptionError `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, `DEVICE_REMOVED`, `DEVICE_BUSY` and
 * the key store's errors: nothing was changed
 */
export async function changeRing<T>(
  password: string,
  { keyStore, presence, random }: RingContext,
  change: (ring: StoredRing) => Promise<Changed<T>>,
  nextPassword = password,
): Promise<T> {
  const { name } = presence.record();
  return keyStore.lock(name, async () => {
    await presence.check();
    const secret = await openKeyRecord(name, presence.record().bytes, password);
    try {
      const { ring, result } = await change(decodeRing(secret));
      if (ring) await presence.replace(await sealRing(name, ring, nextPassword, random));
      return result;
    } finally {
      secret.fill(0);
    }
  });
}

/**
 * Replaces the device's card by one with new keys, which the old one vouches for. The new keys are stored
 * before their card is published: what is broken off there, the next call or opening brings to its end.
 * @throws EncryptionError as {@link changeRing}, `DEVICE_REVOKED`, `OWN_CARD_INVALID`, the directory's
 * errors
 */
export async function rotateKeys(password: string, context: RotationContext): Promise<void> {
  const { keys, identity } = context;
  const before = keys.current();
  // Nobody trusts what a card says that was revoked, and a new one that stands alone is another device.
  if (context.cards.stateOf(before.card.id)?.status === 'revoked') throw revoked();
  const next = await changeRing(password, context, (ring) => withSuccessor(ring, before, context));
  const card = await approvedCard(next.card, context);
  await context.pins.pin(identity, [card.id]);
  const others = keys.all().filter((own) => own.card.id !== card.id);
  keys.replace({ ...next, card }, others);
  context.cards.refresh(identity);
}

async function withSuccessor(
  ring: StoredRing,
  before: OwnCard,
  { identity, random, now }: RotationContext,
): Promise<Changed<OwnCard>> {
  const [newest] = ring.keys;
  if (newest) {
    const left = await importOwnCard(newest, identity);
    if (left.card.previousCardId === before.card.id) return { ring: null, result: left };
  }
  const { device, pqEncryptionKey } = before.card;
  const postQuantum = pqEncryptionKey !== undefined;
  const content = { identity, createdAt: now(), device, postQuantum };
  const made = await makeKeys(content, random, { predecessor: before });
  return {
    ring: { ...ring, keys: [made, ...ring.keys] },
    result: await importOwnCard(made, identity),
  };
}

/**
 * Deletes the keys of cards that ended longer ago than that: whatever only they could open cannot be read
 * any more.
 * @param keep in milliseconds
 * @throws EncryptionError as {@link changeRing}
 */
export async function deleteOldKeys(
  password: string,
  keep: number,
  context: RotationContext,
): Promise<void> {
  const { keys, deleted, records, now } = context;
  const [current, ...others] = keys.all();
  if (!current) return;
  const ended = others.flatMap(({ card }) => {
    const to = endOf(card.id, context);
    return to !== null && now() - to > keep ? [{ id: card.id, from: card.createdAt, to }] : [];
  });
  if (ended.length === 0) return;
  const isKept = ({ card }: OwnCard): boolean => ended.every(({ id }) => id !== card.id);
  // Remembered first: what cannot be read must not look as if nobody had meant it for this person.
  await deleted.add(ended.map(({ from, to }) => ({ from, to })));
  await changeRing(password, context, async (ring) => {
    const owned = await Promise.all(
      ring.keys.map(async (stored) => ({
        stored,
        own: await importOwnCard(stored, context.identity),
      })),
    );
    const kept = owned.filter(({ own }) => isKept(own)).map(({ stored }) => stored);
    return { ring: { ...ring, keys: kept }, result: null };
  });
  keys.replace(current, others.filter(isKept));
  for (const { id } of ended) await records.update(`card/${id}`, () => null);
}

function revoked(): EncryptionError {
  return new EncryptionError(
    'DEVICE_REVOKED',
    "Not done: this device's card was revoked. Clean the device up, and open it as a new one.",
  );
}

/** When a card stopped being live, or null. */
function endOf(id: OwnCard['card']['id'], { keys, cards }: RotationContext): number | null {
  const successor = keys.all().find(({ card }) => card.previousCardId === id);
  return cards.stateOf(id)?.endedAt ?? successor?.card.createdAt ?? null;
}
