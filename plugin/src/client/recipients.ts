import { EncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import type { Identity } from '../protocol/identifiers.ts';
import type { CardBook } from './card-book.ts';
import type { OwnCard } from './own-card.ts';
import type { Pins } from './pins.ts';

/** What choosing recipients asks. */
export interface RecipientsContext {
  readonly own: OwnCard;
  readonly cards: CardBook;
  readonly pins: Pins;
}

/**
 * The cards that get a slot: all trusted cards of these identities and of the sender's own, one for
 * each encryption key, in an order that does not depend on who asks.
 * @throws EncryptionError `MEMBER_WITHOUT_CARD`, `KEY_CHANGED`, the key store's and the directory's
 * errors
 */
export async function chooseRecipients(
  members: readonly Identity[],
  { own, cards, pins }: RecipientsContext,
): Promise<readonly Card[]> {
  const identities = [...new Set([own.card.identity, ...members])];
  const found = await cards.find(identities);
  // By key: a card may carry a key that is not its holder's, and a key gets one slot.
  const chosen = new Map<string, Card>();
  const choose = (card: Card): void => {
    chosen.set(card.encryptionKey.join(), card);
  };
  const without: Identity[] = [];
  const changed: Identity[] = [];
  for (const [identity, { cards: acceptable }] of found) {
    const trust = await pins.check(identity, acceptable);
    const trusted = acceptable.filter(({ id }) => trust.get(id) !== 'changed');
    trusted.forEach(choose);
    if (identity === own.card.identity || trusted.length > 0) continue;
    // Whoever has no card may get one any moment: the next attempt asks the directory again.
    cards.refresh(identity);
    (acceptable.length === 0 ? without : changed).push(identity);
  }
  choose(own.card);
  if (without.length > 0) throw memberWithoutCard(without);
  if (changed.length > 0) throw keyChanged(changed);
  return [...chosen.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

function memberWithoutCard(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'MEMBER_WITHOUT_CARD',
    `Not sent: ${identities.join(', ')} cannot read encrypted messages yet (no valid card). They need to sign in once with the application.`,
    { identities },
  );
}

function keyChanged(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'KEY_CHANGED',
    `Not sent: the keys of ${identities.join(', ')} changed. Compare them, then acknowledge the change.`,
    { identities },
  );
}
