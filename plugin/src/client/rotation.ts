/** Changing what keys a device has: replacing its card, deleting old keys, another password. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import { decodeRing, type StoredRing } from '../protocol/key-ring.ts';
import type { RandomSource } from '../protocol/primitives.ts';
import type { CardBook } from './card-book.ts';
import type { DeletedKeys } from './deleted-keys.ts';
import { openRing, sealRing, useFromNow, type DeviceKeys } from './device-keys.ts';
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
  /** Throws when the newest head of the log is not of today, by this device's clock. */
  readonly checkClock: () => Promise<void>;
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
    const secret = await openRing(name, presence.record().bytes, password);
    try {
      const { ring, result } = await change(decodeRing(secret));
      if (!ring) return result;
      try {
        await presence.replace(await sealRing(name, ring, nextPassword, random));
      } finally {
        for (const { secrets } of ring.keys) secrets.fill(0);
      }
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
  const before = context.keys.current();
  checkLive(before, context);
  const next = await publishNext(password, before, context);
  await context.pins.pin(context.identity, [next.card.id]);
  await context.presence.check();
  useFromNow(next, context.keys);
  context.cards.refresh(context.identity);
}

async function publishNext(
  password: string,
  before: OwnCard,
  context: RotationContext,
): Promise<OwnCard> {
  let refused: CardId | null = null;
  for (;;) {
    const { own, isLeft } = await storeNext(password, before, refused, context);
    // Whatever becomes of the answer: if the server took the card, others encrypt for it.
    const others = context.keys.all().filter(({ card }) => card.id !== own.card.id);
    const [current, ...rest] = others;
    if (current) context.keys.replace(current, [...rest, own]);
    try {
      return { ...own, card: await approvedCard(own.card, context) };
    } catch (error) {
      // What was left by an earlier try may be refused for good, as for a clock that was wrong then.
      if (!isLeft || !isEncryptionError(error, 'DIRECTORY_REFUSED')) throw error;
      refused = own.card.id;
    }
  }
}

interface Next {
  readonly own: OwnCard;
  /** Whether it was made earlier. */
  readonly isLeft: boolean;
}

function storeNext(
  password: string,
  before: OwnCard,
  refused: CardId | null,
  { identity, random, now, ...context }: RotationContext,
): Promise<Next> {
  return changeRing<Next>(password, { random, ...context }, async (ring) => {
    const [newest, ...others] = ring.keys;
    const left = newest && (await importOwnCard(newest, identity));
    const isLeft = left?.card.previousCardId === before.card.id;
    if (isLeft && left.card.id !== refused) return { ring: null, result: { own: left, isLeft } };
    const { device, pqEncryptionKey } = before.card;
    const postQuantum = pqEncryptionKey !== undefined;
    const content = { identity, createdAt: now(), device, postQuantum };
    const made = await makeKeys(content, random, { predecessor: before });
    const own = await importOwnCard(made, identity);
    const keys = [made, ...(isLeft ? others : ring.keys)];
    return { ring: { ...ring, keys }, result: { own, isLeft: false } };
  });
}

/** Nobody trusts what a card says that ended, and a new one that stands alone is another device. */
function checkLive({ card }: OwnCard, { cards, keys }: RotationContext): void {
  const { status = 'live' } = cards.stateOf(card.id) ?? {};
  const hasSuccessor = keys.all().some((own) => own.card.previousCardId === card.id);
  if (status === 'live' || (status === 'superseded' && hasSuccessor)) return;
  throw new EncryptionError(
    'DEVICE_REVOKED',
    "Not done: this device's card was revoked, or replaced by somebody else who has its keys. Clean the device up, and open it as a new one.",
  );
}

/**
 * Deletes the keys of cards that ended longer ago than that: whatever only they could open cannot be read
 * any more. Not while the clock and the log disagree about the day.
 * @param keep in milliseconds
 * @throws EncryptionError as {@link changeRing}; `SPLIT_VIEW`, `LOG_STALE`
 */
export async function deleteOldKeys(
  password: string,
  keep: number,
  context: RotationContext,
): Promise<void> {
  const { keys, deleted, records, now } = context;
  const [current, ...others] = keys.all();
  if (!current) return;
  const noted = await deleted.noteEnded(endedAmong(others, context), now());
  const ended = others.flatMap(({ card: { id, createdAt: from } }) => {
    const to = successorOf(id, keys)?.card.createdAt ?? noted.get(id);
    return to !== undefined && now() - to > keep ? [{ id, from, to }] : [];
  });
  if (ended.length === 0) return;
  await context.checkClock();
  const isKept = ({ card }: OwnCard): boolean => ended.every(({ id }) => id !== card.id);
  // Remembered first: what cannot be read must not look as if nobody had meant it for this person.
  await deleted.add(ended);
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

/** Those that the log says have ended. */
function endedAmong(all: readonly OwnCard[], { cards }: RotationContext): readonly CardId[] {
  const ids = all.map(({ card }) => card.id);
  return ids.filter((id) => (cards.stateOf(id)?.status ?? 'live') !== 'live');
}

function successorOf(id: CardId, keys: DeviceKeys): OwnCard | null {
  return keys.all().find(({ card }) => card.previousCardId === id) ?? null;
}
