import { EncryptionError } from '../errors.ts';
import { exportCard, type Card } from '../protocol/card.ts';

/** A checked card of the low-level API. */
export interface ExportableCard extends Card {
  /** The card as a string, for the server and for other people. */
  export(): string;
}

// What the protocol's functions checked. A look-alike that an application parsed from somebody's
// JSON would encrypt for, or verify with, keys that nobody signed.
const checked = new WeakSet<Card>();

/** A card that `createCard` or `importCard` made, for the application's hands. */
export function exportable(card: Card): ExportableCard {
  const result = Object.freeze({ ...card, export: () => exportCard(card) });
  checked.add(result);
  return result;
}

/**
 * These cards, when all of them came out of this library and nobody changed them.
 * @throws EncryptionError `INVALID_ARGUMENT` otherwise, and when there are none
 */
export function requireChecked(cards: Card | readonly Card[]): readonly Card[] {
  const all = [cards].flat();
  if (all.length > 0 && all.every((card) => checked.has(card))) return all;
  throw new EncryptionError(
    'INVALID_ARGUMENT',
    'Give one card or several, as cards.create, import, publish, find or get returned them.',
  );
}
