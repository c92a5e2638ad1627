import {
  EMPTY_HISTORY,
  extendHistory,
  type Card,
  type Identity,
} from 'twilio-chat-encryption/protocol';
import type { CardSource, FoundCards } from '../../src/client/card-book.ts';
import type { ProvenHistory } from '../../src/client/card-log.ts';
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

/** What a card book finds for somebody who has these cards. */
export function foundOf(cards: readonly Card[]): FoundCards {
  return { cards, history: historyOf(cards), invalid: 0 };
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
    ...changes,
  };
}

/** What a log answers that has these cards, for {@link CardSource}. */
export function historiesOf(
  identities: readonly Identity[],
  cards: readonly Card[],
): ReturnType<CardSource['lookUp']> {
  return Promise.resolve(
    new Map(
      identities.map((one) => [one, historyOf(cards.filter(({ identity }) => identity === one))]),
    ),
  );
}
