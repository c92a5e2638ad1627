import {
  EMPTY_HISTORY,
  extendHistory,
  type Card,
  type Identity,
} from 'twilio-chat-encryption/protocol';
import type { CardSource } from '../../src/client/card-book.ts';
import type { ProvenHistory } from '../../src/client/card-log.ts';

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
