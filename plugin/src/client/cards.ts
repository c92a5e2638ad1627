import { invalidArgument, kindOf, textArgument } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import { checkApproval, createCard, exportCard, importCard, type Card } from '../protocol/card.ts';
import type { VerifyingKey } from '../protocol/curves.ts';
import { parseCardId, parseIdentity, type CardId, type Identity } from '../protocol/identifiers.ts';
import type { CardBook } from './card-book.ts';
import { exportable, requireChecked, type ExportableCard } from './checked-cards.ts';
import type { Directory } from './directory.ts';
import { privateKeysOf, type KeyPair } from './key-pair.ts';

/**
 * Cards for keys of the application's own, and other people's cards. `find`, `get` and `publish`
 * give cards that the application's pinned key approved; `create` and `import` do not ask. None
 * compares with the cards that were seen first, as the chat does. All calls reject with `CLOSED`
 * after `close()`.
 */
export interface Cards {
  /**
   * A card for this key, signed by it. Nobody knows or approved it before it is published. The card
   * of a key with `postQuantum` offers suite 2.
   * @param key a key pair of `keys.generate`, `load` or `import`
   * @param fields at most 16 entries of 1 to 256 characters; whoever has the card can read them
   * @throws EncryptionError `INVALID_IDENTITY`, `INVALID_ARGUMENT`
   */
  create(
    identity: string,
    key: KeyPair,
    fields?: Readonly<Record<string, string>>,
  ): Promise<ExportableCard>;
  /**
   * Reads a card and checks that it is whole and its own key signed it. That alone says nothing
   * about who holds it: anybody can make a card in anybody's name. Import what came on a way that
   * you trust, and take `find` or `get` otherwise.
   * @throws EncryptionError `INVALID_ARGUMENT`, `CARD_INVALID`
   */
  import(exported: string): Promise<ExportableCard>;
  /**
   * Has a card of this person approved and published. From then on it counts as one of their
   * devices, in chats too: who sees them first from then on encrypts for it, and who knew them
   * before is told by `keyChanged`.
   * @returns the card with the application's approval
   * @throws EncryptionError `INVALID_ARGUMENT`, `CARD_INVALID` when the directory did not approve
   * this card under a pinned key, and the directory's errors
   */
  publish(card: Card): Promise<ExportableCard>;
  /**
   * All approved cards of these people, asked from the directory. Who has none is not in the list.
   * @param identities one by one, or in arrays
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, and the directory's errors
   */
  find(...identities: readonly (string | readonly string[])[]): Promise<readonly ExportableCard[]>;
  /**
   * The approved card of this id.
   * @throws EncryptionError `INVALID_ARGUMENT`, `CARD_NOT_FOUND`, `CARD_INVALID` when it does not
   * check, and the directory's errors
   */
  get(cardId: string): Promise<ExportableCard>;
  /**
   * Ends a card of this person: nothing is encrypted for it any more, and nobody believes what it signs
   * from then on. Signed by this device. See `Encryption.revoke` for devices that were stolen.
   * @throws EncryptionError `INVALID_ARGUMENT` for another person's card, `CARD_NOT_FOUND` when it is not
   * published, and the directory's errors
   */
  revoke(card: Card): Promise<void>;
}

/** What {@link cards} works with. */
export interface CardsContext {
  /** Whose device it is. */
  readonly identity: Identity;
  readonly cards: CardBook;
  readonly directory: Directory;
  readonly appKeys: readonly VerifyingKey[];
  readonly now: () => number;
  /** Revokes a card of this person. */
  readonly revoke: (id: CardId) => Promise<void>;
  /** Throws `CLOSED` after the device was closed. */
  readonly checkOpen: () => void;
}

/** The cards of a device's directory. */
export function cards(context: CardsContext): Cards {
  const { identity, cards: book, directory, appKeys, now, revoke, checkOpen } = context;
  return Object.freeze<Cards>({
    async create(identity, key, fields = {}) {
      checkOpen();
      const holder = parseIdentity(textArgument(identity, 'identity'));
      const { signingKey, encryptionKey, pqEncryptionKey } = privateKeysOf(key);
      checkFields(fields);
      const some = Object.keys(fields).length > 0;
      const content = {
        identity: holder,
        createdAt: now(),
        ...(some && { fields }),
      };
      return exportable(await createCard(content, signingKey, encryptionKey, pqEncryptionKey));
    },

    async import(exported) {
      checkOpen();
      return exportable(await importCard(textArgument(exported, 'exported (a card)')));
    },

    async publish(card) {
      checkOpen();
      requireChecked(card);
      const approved = await importCard(await directory.publish(exportCard(card)));
      await checkApproval(approved, appKeys);
      // The directory may answer anything, also with somebody else's approved card.
      if (approved.id !== card.id) {
        throw new EncryptionError('CARD_INVALID', 'The directory answered with another card.');
      }
      book.refresh(approved.identity);
      return exportable(approved);
    },

    async find(...identities) {
      checkOpen();
      const texts = identities.flat().map((one) => textArgument(one, 'each of identities'));
      const asked = [...new Set(texts.map(parseIdentity))];
      // Afresh: whoever looks somebody up wants their cards of now.
      for (const identity of asked) book.refresh(identity);
      const found = await book.find(asked);
      return [...found.values()].flatMap((each) => each.cards.map(exportable));
    },

    async get(cardId) {
      checkOpen();
      return exportable(await book.get(parseCardId(cardId)));
    },

    async revoke(card) {
      checkOpen();
      requireChecked(card);
      if (card.identity !== identity) {
        throw invalidArgument(`card must be one of ${identity}: nobody can revoke another's.`);
      }
      await revoke(card.id);
    },
  });
}

// What createCard refuses it does not name: a card has other texts, too.
function checkFields(fields: unknown): void {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw invalidArgument(
      `fields must be an object whose members are texts, and is ${kindOf(fields)}.`,
    );
  }
  for (const [name, field] of Object.entries(fields)) textArgument(field, `fields.${name}`);
}
