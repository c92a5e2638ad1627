import {
  EMPTY_HISTORY,
  extendHistory,
  type Card,
  type Identity,
  type LogHead,
} from 'twilio-chat-encryption/protocol';
import type { FoundCards } from '../../src/client/card-book.ts';
import type { ProvenHistory, ProvenLookup } from '../../src/client/card-log.ts';
import type { KeyStore } from '../../src/client/key-store.ts';
import type { PinsContext } from '../../src/client/pins.ts';

/** The history of an identity that has these cards, all of them live. */
export function historyOf(cards: readonly Card[], invalid = 0, size = cards.length): ProvenHistory {
  const hashes: ProvenHistory['hashes'][number][] = [];
  for (const { id } of cards) {
    const entry = new TextEncoder().encode(id);
    hashes.push(extendHistory(hashes.at(-1) ?? EMPTY_HISTORY, entry));
  }
  return {
    count: cards.length,
    hash: hashes.at(-1) ?? EMPTY_HISTORY,
    hashes,
    times: cards.map(() => 0),
    cards: cards.map((card, position) => ({
      card,
      position,
      loggedAt: 0,
      status: 'live',
      vouchers: [],
    })),
    invalid,
    size,
    signedAt: Number.MAX_SAFE_INTEGER,
  };
}

/** A head of a log of this size. */
export function headOf(size = 0): LogHead {
  return { size, root: new Uint8Array(32), signedAt: 0, signature: new Uint8Array(64) };
}

/** What a card book finds for somebody who has these cards. */
export function foundOf(cards: readonly Card[]): FoundCards {
  const history = historyOf(cards);
  return { cards, history, head: headOf(history.size), invalid: 0 };
}

/** What pins work with, where nothing is wrong with the log. */
export function pinsContext(records: KeyStore, changes: Partial<PinsContext> = {}): PinsContext {
  return {
    records,
    log: 'log',
    checkFirstSight: () => Promise.resolve(),
    isOfThisDevice: () => false,
    historyOf: () => null,
    onChanged: () => undefined,
    onUnconnected: () => undefined,
    ...changes,
  };
}

/** What a log answers that says this of each, for a card book. */
export function answerOf(
  identities: readonly Identity[],
  historyOfOne: (identity: Identity) => ProvenHistory,
): ProvenLookup {
  const histories = new Map(identities.map((one) => [one, historyOfOne(one)]));
  const sizes = [...histories.values()].map(({ size }) => size);
  return { head: headOf(Math.max(0, ...sizes)), histories };
}

/** What a log answers that has these cards, for a card book. */
export function historiesOf(
  identities: readonly Identity[],
  cards: readonly Card[],
): Promise<ProvenLookup> {
  const ofOne = (one: Identity): ProvenHistory =>
    historyOf(cards.filter(({ identity }) => identity === one));
  return Promise.resolve(answerOf(identities, ofOne));
}
