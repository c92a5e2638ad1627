import { EncryptionError } from '../errors.ts';
import { exportCard, type Card } from '../protocol/card.ts';

/** A checked card of the low-level API. */
export interface ExportableCard extends Card {
  /** The card as a string, for the server and for other people. */
  export(): string;
}

// What the protocol's functions checked, by what the application has of it. A look-alike that an
// application parsed from somebody's JSON would encrypt for, or verify with, keys that nobody signed;
// and bytes that it changed in its own copy are not those that are used.
const checked = new WeakMap<Card, Card>();

/** A card that `createCard` or `importCard` made, for the application's hands. */
export function exportable(card: Card): ExportableCard {
  const { publicKey } = card.signingKey;
  const signatures = card.signatures.map(({ signer, signature, extra }) =>
    Object.freeze({ signer, signature: signature.slice(), extra: extra.slice() }),
  );
  const result = Object.freeze({
    ...card,
    ...(card.fields && { fields: Object.freeze({ ...card.fields }) }),
    signatures: Object.freeze(signatures),
    signingKey: Object.freeze({ ...card.signingKey, publicKey: publicKey.slice() }),
    encryptionKey: card.encryptionKey.slice(),
    ...(card.pqEncryptionKey && { pqEncryptionKey: card.pqEncryptionKey.slice() }),
    snapshot: card.snapshot.slice(),
    export: () => exportCard(card),
  });
  checked.set(result, card);
  return result;
}

/**
 * These cards as they were checked, when all of them came out of this library.
 * @throws EncryptionError `INVALID_ARGUMENT` otherwise, and when there are none
 */
export function requireChecked(cards: Card | readonly Card[]): readonly Card[] {
  const all = [cards].flat().map((card) => checked.get(card));
  const known = all.filter((card) => card !== undefined);
  if (all.length > 0 && known.length === all.length) return known;
  throw new EncryptionError(
    'INVALID_ARGUMENT',
    'Give one card or several, as cards.create, import, publish, find or get returned them.',
  );
}
