import { EncryptionError } from '../errors.ts';
import { checkApproval, importCard, type Card } from '../protocol/card.ts';
import type { VerifyingKey } from '../protocol/curves.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import { treeOf, type LogHead } from '../protocol/log/head.ts';
import type { LoggedCard } from '../protocol/log/history.ts';
import { isYounger } from './age.ts';
import type { ProvenHistory, ProvenLookup } from './card-log.ts';
import type { IsCarried } from './carried-heads.ts';

/** The live cards of an identity, and how many entries about it hold something that does not check. */
export interface FoundCards {
  readonly cards: readonly Card[];
  /** All that the log says of the identity. */
  readonly history: ProvenHistory;
  /** Proves that. */
  readonly head: LogHead;
  readonly invalid: number;
}

/** Where a card book looks. */
export interface CardSource {
  /** All that the log has about these identities; proven. */
  lookUp(identities: readonly Identity[]): Promise<ProvenLookup>;
  /** The exported card of this id, or null. */
  get(id: CardId): Promise<string | null>;
}

/** Checked cards, asked from the directory when they are not known. */
export interface CardBook {
  /**
   * The card of this id, live or not.
   * @throws EncryptionError `CARD_NOT_FOUND`, `CARD_INVALID` when it does not check or is not in the
   * log, and the log's and the directory's errors
   */
  get(id: CardId): Promise<Card>;
  /**
   * The live cards of each identity, at most five minutes old.
   * @param isCarried whether somebody was told of a head; all are by default. Who was not told of the one
   * under which they were looked up is looked up anew, together with the others of these, unless they are
   * many, so that one head proves them
   */
  find(
    identities: readonly Identity[],
    isCarried?: IsCarried,
  ): Promise<ReadonlyMap<Identity, FoundCards>>;
  /** The live cards of an identity as they were last found, however long ago; asks nobody. */
  known(identity: Identity): readonly Card[];
  /** What the log said last of a card; null when it was never asked. */
  stateOf(id: CardId): LoggedCard | null;
  /** What the log said last of an identity; null when it was never asked. */
  historyOf(identity: Identity): ProvenHistory | null;
  /** When {@link known} was true; -Infinity for what was never found, or is to be asked again. */
  foundAt(identity: Identity): number;
  /**
   * Asks for the cards of these identities whatever is known, in one request: at most
   * {@link MAX_SEARCHED}. What `find` gives becomes younger by it, never older.
   * @throws EncryptionError the log's and the directory's errors
   */
  ask(identities: readonly Identity[]): Promise<void>;
  /** Forgets how old the cards of this identity are: the next `find` asks again. */
  refresh(identity: Identity): void;
}

/** How old an answer may be when it decides who can read a message. */
export const FRESH_MILLISECONDS = 5 * 60_000;
// Histories are kept for the life of a page; a directory must not fill its memory.
const MAX_KEPT = 5000;
/**
 * How many identities one request is for. The server bounds its answers: 30 identities with 16 cards
 * of the greatest size stay below 16 MiB.
 */
export const MAX_SEARCHED = 30;

/** A card book over a directory that nobody needs to trust. */
export function cardBook(
  source: CardSource,
  appKeys: readonly VerifyingKey[],
  now: () => number,
): CardBook {
  const histories = new Map<Identity, Pick<FoundCards, 'history' | 'head'>>();
  const states = new Map<CardId, LoggedCard>();
  const lookups = new Map<CardId, Promise<Card>>();
  const found = new Map<Identity, FoundCards & { readonly at: number }>();
  const refreshes = new Map<Identity, number>();

  function keep(identity: Identity, answer: Pick<FoundCards, 'history' | 'head'>): FoundCards {
    const known = histories.get(identity);
    // Of two answers under way at once the older may come last.
    const proven = known && known.head.size > answer.head.size ? known : answer;
    const { history } = proven;
    forget(identity);
    histories.set(identity, proven);
    for (const state of history.cards) states.set(state.card.id, state);
    const live = history.cards.filter(
      ({ status, card }) => status === 'live' && card.identity === identity,
    );
    return { ...proven, cards: live.map(({ card }) => card), invalid: history.invalid };
  }

  /** Makes room, the oldest first. Whoever asked has what they asked for. */
  function makeRoom(): void {
    for (const identity of [...histories.keys()]) {
      if (states.size <= MAX_KEPT) return;
      forget(identity);
      found.delete(identity);
    }
  }

  function forget(identity: Identity): void {
    for (const { card } of histories.get(identity)?.history.cards ?? []) states.delete(card.id);
    histories.delete(identity);
  }

  async function search(asked: readonly Identity[]): Promise<ReadonlyMap<Identity, FoundCards>> {
    const at = now();
    const before = asked.map((identity) => refreshes.get(identity));
    const answer = await source.lookUp(asked);
    const { head } = answer;
    makeRoom();
    const result = new Map<Identity, FoundCards>();
    for (const [index, identity] of asked.entries()) {
      const history = answer.histories.get(identity);
      if (!history) throw new TypeError('The log gave no answer.');
      const cards = keep(identity, { history, head });
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
    const exported = await source.get(id);
    if (exported === null) {
      throw new EncryptionError('CARD_NOT_FOUND', `The directory has no card ${id}.`);
    }
    const card = await importCard(exported);
    await checkApproval(card, appKeys);
    if (card.id !== id) {
      throw new EncryptionError('CARD_INVALID', 'The directory answered with another card.');
    }
    // The directory may show one person a card that nobody else sees: all see the log.
    await search([card.identity]);
    const state = states.get(id);
    if (state) return state.card;
    throw new EncryptionError('CARD_INVALID', `The card ${id} is not in the log.`);
  }

  return {
    async get(id) {
      const known = states.get(id);
      if (known) return known.card;
      // Many messages of one sender arrive together: they wait for one lookup.
      const lookup = lookups.get(id) ?? lookUp(id).finally(() => lookups.delete(id));
      lookups.set(id, lookup);
      return lookup;
    },

    async find(identities, isCarried = () => true) {
      const result = new Map<Identity, FoundCards>();
      for (const identity of identities) {
        const known = found.get(identity);
        if (known && isYounger(known.at, FRESH_MILLISECONDS, now())) result.set(identity, known);
      }
      const stale = identities.filter((identity) => !result.has(identity));
      const untold = [...result].filter(([identity, { head }]) => !isCarried(head, identity));
      const trees = new Set(untold.map(([, { head }]) => treeOf(head)));
      const isOneHead = trees.size + Math.min(stale.length, 1) <= 1;
      const together = [...stale, ...untold.map(([identity]) => identity)];
      const asked = isOneHead || together.length > MAX_SEARCHED ? stale : together;
      for (let start = 0; start < asked.length; start += MAX_SEARCHED) {
        const answer = await search(asked.slice(start, start + MAX_SEARCHED));
        for (const [identity, cards] of answer) result.set(identity, cards);
      }
      return result;
    },

    known: (identity) => found.get(identity)?.cards ?? [],

    stateOf: (id) => states.get(id) ?? null,

    historyOf: (identity) => histories.get(identity)?.history ?? null,

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
