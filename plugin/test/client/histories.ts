import type { Card, Identity, IdentityHistory } from 'twilio-chat-encryption/protocol';
import type { CardSource } from '../../src/client/card-book.ts';

/** The history of an identity that has these cards, all of them live. */
export function historyOf(cards: readonly Card[], invalid = 0): IdentityHistory {
  return {
    count: cards.length,
    hash: new Uint8Array(32),
    cards: cards.map((card, position) => ({
      card,
      position,
      loggedAt: 0,
      status: 'live',
      voucher: null,
    })),
    invalid,
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
