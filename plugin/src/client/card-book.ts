import { EncryptionError, isEncryptionError } from '../errors.ts';
import { checkApproval, importCard, type Card } from '../protocol/card.ts';
import type { VerifyingKey } from '../protocol/curves.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import { isYounger } from './age.ts';
import type { Directory } from './directory.ts';

/** The cards of an identity that passed every check, and how many did not. */
export interface FoundCards {
  readonly cards: readonly Card[];
  readonly invalid: number;
}

/** Checked cards, asked from the directory when they are not known. */
export interface CardBook {
  /**
   * The card of this id.
   * @throws EncryptionError `CARD_NOT_FOUND`, `CARD_INVALID` when it does not check, and the
   * directory's errors
   */
  get(id: CardId): Promise<Card>;
  /** The cards of each identity, at most five minutes old. */
  find(identities: readonly Identity[]): Promise<ReadonlyMap<Identity, FoundCards>>;
  /** The cards of an identity as they were last found, however long ago; asks nobody. */
  known(identity: Identity): readonly Card[];
  /** When {@link known} was true; -Infinity for what was never found, or is to be asked again. */
  foundAt(identity: Identity): number;
  /**
   * Asks for the cards of these identities whatever is known, in one request: at most
   * {@link MAX_SEARCHED}. What `find` gives becomes younger by it, never older.
   * @throws EncryptionError the directory's errors
   */
  ask(identities: readonly Identity[]): Promise<void>;
  /** Forgets how old the cards of this identity are: the next `find` asks again. */
  refresh(identity: Identity): void;
}

/** How old an answer may be when it decides who can read a message. */
export const FRESH_MILLISECONDS = 5 * 60_000;
// Checked cards are kept by id for the life of a page; a directory must not fill its memory.
const MAX_KEPT = 5000;
const MAX_CARDS_OF_ONE = 16;
/**
 * How many identities one request is for. The server bounds its answers: 30 identities with 16 cards
 * of the greatest size stay below 16 MiB.
 */
export const MAX_SEARCHED = 30;

/** A card book over a directory that nobody needs to trust. */
export function cardBook(
  directory: Directory,
  appKeys: readonly VerifyingKey[],
  now: () => number,
): CardBook {
  const checked = new Map<string, Promise<Card>>();
  const byId = new Map<CardId, Card>();
  const lookups = new Map<CardId, Promise<Card>>();
  const found = new Map<Identity, FoundCards & { readonly at: number }>();
  const refreshes = new Map<Identity, number>();

  function check(exported: string): Promise<Card> {
    const known = checked.get(exported);
    if (known) return known;
    const checking = importCard(exported).then(async (card) => {
      await checkApproval(card, appKeys);
      byId.set(card.id, card);
      return card;
    });
    if (checked.size >= MAX_KEPT) {
      checked.clear();
      byId.clear();
    }
    checked.set(exported, checking);
    // A failure may be the platform's, not the card's: it is found out anew.
    checking.catch(() => checked.delete(exported));
    return checking;
  }

  // One bad card fails that card, not the search.
  async function checkAll(identity: Identity, exported: readonly string[]): Promise<FoundCards> {
    const all = await Promise.all(
      exported.slice(0, MAX_CARDS_OF_ONE).map((one) =>
        check(one).catch((error: unknown) => {
          if (isEncryptionError(error, 'CARD_INVALID')) return null;
          throw error;
        }),
      ),
    );
    const own = all.filter((card) => card?.identity === identity);
    const cards = new Map(own.flatMap((card) => (card ? [[card.id, card] as const] : [])));
    return { cards: [...cards.values()], invalid: exported.length - own.length };
  }

  async function search(asked: readonly Identity[]): Promise<ReadonlyMap<Identity, FoundCards>> {
    const at = now();
    const before = asked.map((identity) => refreshes.get(identity));
    const answer = await directory.find(asked);
    const result = new Map<Identity, FoundCards>();
    for (const [index, identity] of asked.entries()) {
      const cards = await checkAll(identity, answer.get(identity) ?? []);
      result.set(identity, cards);
      // An answer that was under way when a newer one was wanted, or came, is not kept.
      const isWanted = refreshes.get(identity) === before[index];
      if (isWanted && !isLater(found.get(identity), at)) found.set(identity, { ...cards, at });
    }
    return result;
  }

  // Not of a clock that was set back meanwhile.
  function isLater(known: { readonly at: number } | undefined, at: number): boolean {
    return known !== undefined && known.at > at && known.at <= now();
  }

  async function lookUp(id: CardId): Promise<Card> {
    const exported = await directory.get(id);
    if (exported === null) {
      throw new EncryptionError('CARD_NOT_FOUND', `The directory has no card ${id}.`);
    }
    const card = await check(exported);
    if (card.id === id) return card;
    throw new EncryptionError('CARD_INVALID', 'The directory answered with another card.');
  }

  return {
    async get(id) {
      const known = byId.get(id);
      if (known) return known;
      // Many messages of one sender arrive together: they wait for one lookup.
      const lookup = lookups.get(id) ?? lookUp(id).finally(() => lookups.delete(id));
      lookups.set(id, lookup);
      return lookup;
    },

    async find(identities) {
      const result = new Map<Identity, FoundCards>();
      const stale: Identity[] = [];
      for (const identity of identities) {
        const known = found.get(identity);
        if (known && isYounger(known.at, FRESH_MILLISECONDS, now())) result.set(identity, known);
        else stale.push(identity);
      }
      for (let start = 0; start < stale.length; start += MAX_SEARCHED) {
        const answer = await search(stale.slice(start, start + MAX_SEARCHED));
        for (const [identity, cards] of answer) result.set(identity, cards);
      }
      return result;
    },

    known: (identity) => found.get(identity)?.cards ?? [],

    foundAt: (identity) => found.get(identity)?.at ?? -Infinity,

    async ask(identities) {
      await search(identities);
    },

    refresh(identity) {
      const known = found.get(identity);
      if (known) found.set(identity, { ...known, at: -Infinity });
      refreshes.set(identity, (refreshes.get(identity) ?? 0) + 1);
    },
  };
}
