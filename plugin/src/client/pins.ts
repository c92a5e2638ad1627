import type { Card } from '../protocol/card.ts';
import { parseCardId, type CardId, type Identity } from '../protocol/identifiers.ts';
import type { KeyStore } from './key-store.ts';
import { readState, updateState, type StateType } from './state.ts';

/**
 * How far a card is trusted on this device.
 * - `new` the identity was seen for the first time, and its cards are pinned now
 * - `pinned` it is one of the identity's pinned cards
 * - `verified` this very card was among those whose safety number was compared
 * - `changed` it appeared after the identity was pinned and was not acknowledged
 */
export type Trust = 'new' | 'pinned' | 'verified' | 'changed';

/** Trust on first use: the cards that an identity had at first sight, kept in the key store. */
export interface Pins {
  /** Whether the identity has pins: it was seen before. */
  knows(identity: Identity): Promise<boolean>;
  /**
   * Compares cards of an identity with its pins; at first sight pins them all.
   * @param cards at first sight, all acceptable cards of the identity
   */
  check(identity: Identity, cards: readonly Card[]): Promise<ReadonlyMap<CardId, Trust>>;
  /** Pins those of these cards that were reported as changed; gives their ids. */
  acknowledge(identity: Identity, cardIds: readonly CardId[]): Promise<readonly CardId[]>;
  /** Pins these cards, reported or not, and marks them as verified. No other card gets the mark. */
  markVerified(identity: Identity, cardIds: readonly CardId[]): Promise<void>;
}

interface PinState {
  readonly pinned: readonly CardId[];
  /** Reported as changed and not acknowledged. Only these are pinned by an acknowledgement. */
  readonly changed: readonly CardId[];
  /** Those of the pinned ones whose safety number was compared. */
  readonly verified?: readonly CardId[];
}

const MAX_CHANGED = 64;

const PIN_STATE: StateType<PinState> = {
  initial: { pinned: [], changed: [] },
  isValid: (value): value is PinState =>
    typeof value === 'object' &&
    value !== null &&
    'pinned' in value &&
    'changed' in value &&
    isCardIds(value.pinned) &&
    isCardIds(value.changed) &&
    (!('verified' in value) || isCardIds(value.verified)),
};

function isCardIds(value: unknown): value is CardId[] {
  try {
    return Array.isArray(value) && value.every((id) => parseCardId(id));
  } catch {
    return false;
  }
}

/**
 * The pins of one device.
 * @param onChanged is told of cards that are not pinned, once for each as long as it runs
 */
export function pins(
  store: KeyStore,
  owner: Identity,
  onChanged: (identity: Identity, cardIds: readonly CardId[]) => void,
): Pins {
  const name = (identity: Identity): string => `pins/${JSON.stringify([owner, identity])}`;
  const reported = new Set<CardId>();

  function report(identity: Identity, changed: readonly CardId[]): void {
    const fresh = changed.filter((id) => !reported.has(id));
    for (const id of fresh) reported.add(id);
    if (fresh.length > 0) onChanged(identity, fresh);
  }

  return {
    async knows(identity) {
      return (await readState(store, name(identity), PIN_STATE)).pinned.length > 0;
    },

    async check(identity, cards) {
      const ids = cards.map(({ id }) => id);
      const state = await updateState(store, name(identity), PIN_STATE, (current) => {
        if (current.pinned.length === 0)
          return ids.length === 0 ? current : { pinned: ids, changed: [] };
        const known = new Set([...current.pinned, ...current.changed]);
        const unknown = ids.filter((id) => !known.has(id));
        if (unknown.length === 0) return current;
        // The latest: a directory must not fill the key store.
        return { ...current, changed: [...current.changed, ...unknown].slice(-MAX_CHANGED) };
      });
      const changed = ids.filter((id) => !state.after.pinned.includes(id));
      report(identity, changed);
      const { verified = [] } = state.after;
      const seen: Trust = state.before.pinned.length === 0 ? 'new' : 'pinned';
      const trustOf = (id: CardId): Trust => {
        if (changed.includes(id)) return 'changed';
        return verified.includes(id) ? 'verified' : seen;
      };
      return new Map(ids.map((id) => [id, trustOf(id)]));
    },

    async acknowledge(identity, cardIds) {
      const { before } = await updateState(store, name(identity), PIN_STATE, (current) => ({
        ...current,
        pinned: [...current.pinned, ...current.changed.filter((id) => cardIds.includes(id))],
        changed: current.changed.filter((id) => !cardIds.includes(id)),
      }));
      return before.changed.filter((id) => cardIds.includes(id));
    },

    async markVerified(identity, cardIds) {
      await updateState(store, name(identity), PIN_STATE, ({ pinned, changed, verified = [] }) => ({
        pinned: [...new Set([...pinned, ...cardIds])],
        changed: changed.filter((id) => !cardIds.includes(id)),
        verified: [...new Set([...verified, ...cardIds])],
      }));
    },
  };
}
