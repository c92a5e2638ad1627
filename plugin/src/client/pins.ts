import { EncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import { parseCardId, type CardId, type Identity } from '../protocol/identifiers.ts';
import type { LoggedCard } from '../protocol/log/history.ts';
import { base64url, equal } from '../protocol/primitives.ts';
import type { ProvenHistory } from './card-log.ts';
import { arrayOf, isCount, isText, objectOf } from './shape.ts';
import type { RecordChange } from './key-store.ts';
import {
  readState,
  stateChange,
  updateRecords,
  updateState,
  type Records,
  type StateType,
} from './state.ts';

/**
 * How far a card is trusted on this device.
 * - `new` the identity was seen for the first time, and its cards are pinned now
 * - `pinned` it is one of the identity's pinned cards, or one of those vouched for it
 * - `verified` this very card was among those whose safety number was compared
 * - `changed` it appeared after the identity was pinned, none of the pinned cards vouched for it, and it
 *   was not acknowledged
 */
export type Trust = 'new' | 'pinned' | 'verified' | 'changed';

/** Cards of an identity, and what the log says of it. */
export interface SeenCards {
  readonly cards: readonly Card[];
  readonly history: ProvenHistory | null;
}

/** Trust on first use: the cards that an identity had at first sight, kept in the key store. */
export interface Pins {
  /** Whether the identity has pins: it was seen before. */
  knows(identity: Identity): Promise<boolean>;
  /**
   * Compares cards of an identity with its pins; at first sight pins all that the log has of it. A card
   * for which a pinned one vouched, or one for which such a one vouched, is as good as pinned, as long
   * as they may be believed.
   * @param cards at first sight, all acceptable cards of the identity
   * @param history what the log says of the identity, if not what it said last
   * @throws EncryptionError `LOG_INVALID` when what the log says of the identity does not go on from
   * what it said before; at first sight `SPLIT_VIEW` and `LOG_STALE`: nothing was pinned; the errors of
   * {@link updateState}
   */
  check(
    identity: Identity,
    cards: readonly Card[],
    history?: ProvenHistory | null,
  ): Promise<ReadonlyMap<CardId, Trust>>;
  /**
   * Those of these people's cards that may get messages, as {@link check} of each, all at once. An answer of
   * the log whose cards were all found trusted is not compared again, for a thousand members and each of
   * their messages: pins are only ever added, so it stays true, whatever other tabs do.
   */
  trusted(
    people: ReadonlyMap<Identity, SeenCards>,
  ): Promise<ReadonlyMap<Identity, readonly Card[]>>;
  /** Pins those of these cards that were reported as changed; gives their ids. */
  acknowledge(identity: Identity, cardIds: readonly CardId[]): Promise<readonly CardId[]>;
  /** Pins these cards, reported or not. */
  pin(identity: Identity, cardIds: readonly CardId[]): Promise<void>;
  /** Pins these cards, reported or not, and marks them as verified. No other card gets the mark. */
  markVerified(identity: Identity, cardIds: readonly CardId[]): Promise<void>;
}

/** What the log said of an identity. */
interface KnownHistory {
  /** The log that said it: its public key in base64url. */
  readonly log: string;
  /** How many entries it has about it. */
  readonly count: number;
  /** The hash of these, base64url. */
  readonly hash: string;
  /** How many entries it had altogether, when that was seen first. */
  readonly size: number;
}

interface PinState {
  readonly pinned: readonly CardId[];
  /** Reported as changed and not acknowledged. Only these are pinned by an acknowledgement. */
  readonly changed: readonly CardId[];
  /** Those of the pinned ones whose safety number was compared. */
  readonly verified?: readonly CardId[];
  readonly history?: KnownHistory;
}

const MAX_CHANGED = 64;

const isCardIds = arrayOf<CardId>((id): id is CardId => {
  try {
    return parseCardId(id) === id;
  } catch {
    return false;
  }
});

const isHistory = objectOf<KnownHistory>({
  log: isText,
  count: isCount,
  hash: isText,
  size: isCount,
});
const PIN_STATE: StateType<PinState> = {
  initial: { pinned: [], changed: [] },
  isValid: (value): value is PinState =>
    typeof value === 'object' &&
    value !== null &&
    'pinned' in value &&
    'changed' in value &&
    isCardIds(value.pinned) &&
    isCardIds(value.changed) &&
    (!('verified' in value) || isCardIds(value.verified)) &&
    (!('history' in value) || isHistory(value.history)),
};

/** What {@link pins} works with. */
export interface PinsContext {
  readonly records: Records;
  /** The log's public key in base64url. */
  readonly log: string;
  /** Throws when nobody may be trusted at first sight. */
  readonly checkFirstSight: () => Promise<void>;
  /** Whether a card is one that only this device should have the keys of: it vouches for nobody here. */
  readonly isOfThisDevice: (id: CardId) => boolean;
  /** What the log said last of an identity; null when it was not asked. */
  readonly historyOf: (identity: Identity) => ProvenHistory | null;
  /** Is told of cards that are not trusted, once for each as long as it runs. */
  readonly onChanged: (identity: Identity, cardIds: readonly CardId[]) => void;
  /** Is told at first sight of cards of which none vouches for all others, directly or through others. */
  readonly onUnconnected: (identity: Identity, cardIds: readonly CardId[]) => void;
}

/** The pins of one device. */
export function pins(context: PinsContext): Pins {
  const { records, historyOf, onChanged } = context;
  const name = (identity: Identity): string => `pins/${identity}`;
  const reported = new Set<CardId>();
  const allTrusted = new WeakSet<ProvenHistory>();

  function report(identity: Identity, changed: readonly CardId[]): void {
    const fresh = changed.filter((id) => !reported.has(id));
    for (const id of fresh) reported.add(id);
    if (fresh.length > 0) onChanged(identity, fresh);
  }

  async function knows(identity: Identity): Promise<boolean> {
    return (await readState(records, name(identity), PIN_STATE)).pinned.length > 0;
  }

  /** Compares, and pins at first sight: of whom there are no pins, once that was allowed. */
  async function checkAll(
    people: ReadonlyMap<Identity, SeenCards>,
  ): Promise<ReadonlyMap<Identity, ReadonlyMap<CardId, Trust>>> {
    const looks = [...people].map(([identity, seen]) => look(identity, seen));
    await updateRecords(
      records,
      looks.map(({ change }) => change(false)),
    );
    const unseen = looks.filter(({ isUnseen }) => isUnseen());
    if (unseen.length > 0) {
      await context.checkFirstSight();
      await updateRecords(
        records,
        unseen.map(({ change }) => change(true)),
      );
    }
    return new Map(looks.map(({ identity, trust }) => [identity, trust()]));
  }

  /** One comparison: the change of the record, and what comes of it. */
  function look(identity: Identity, { cards, history }: SeenCards) {
    const ids = cards.map(({ id }) => id);
    const latest = historyOf(identity);
    const trustedBy = trusting(history, context.isOfThisDevice);
    let before = PIN_STATE.initial;
    let after = PIN_STATE.initial;
    const change = (mayPin: boolean): RecordChange =>
      stateChange(name(identity), PIN_STATE, (current) => {
        if (history && latest && !isOne(history, latest)) throw rewritten(identity);
        before = after = current;
        const isFirst = current.pinned.length === 0;
        if (isFirst && ids.length > 0 && !mayPin) return current;
        const followed = history ? follow(identity, current, history, context.log) : current;
        const seen = isFirst ? atFirstSight(followed, ids, history, trustedBy) : followed;
        after = withChanged(seen, ids, history, trustedBy);
        return after;
      });

    function trust(): ReadonlyMap<CardId, Trust> {
      const isFirstSight = before.pinned.length === 0 && after.pinned.length > 0;
      if (isFirstSight && !isConnected(ids, after.pinned, trustedBy)) {
        context.onUnconnected(identity, ids);
      }
      const isTrusted = trustedBy(after.pinned);
      const changed = ids.filter((id) => !isTrusted(id));
      // What was told of before it ended needs not be told of again.
      const isNew = (id: CardId): boolean => !before.changed.includes(id) || mayBeUsed(id, latest);
      report(
        identity,
        changed.filter((id) => mayBeUsed(id, history) && isNew(id)),
      );
      const { verified = [] } = after;
      const seen: Trust = before.pinned.length === 0 ? 'new' : 'pinned';
      const trustOf = (id: CardId): Trust => {
        if (changed.includes(id)) return 'changed';
        return verified.includes(id) ? 'verified' : seen;
      };
      return new Map(ids.map((id) => [id, trustOf(id)]));
    }

    const isUnseen = (): boolean => ids.length > 0 && after.pinned.length === 0;
    return { identity, change, isUnseen, trust };
  }

  return {
    knows,

    async check(identity, cards, history = historyOf(identity)) {
      const checked = await checkAll(new Map([[identity, { cards, history }]]));
      return checked.get(identity) ?? new Map();
    },

    async trusted(people) {
      const unsure = [...people].filter(([, { history }]) => !history || !allTrusted.has(history));
      const checked = await checkAll(new Map(unsure));
      const result = new Map<Identity, readonly Card[]>();
      for (const [identity, { cards, history }] of people) {
        const trust = checked.get(identity);
        const trusted = trust ? cards.filter(({ id }) => trust.get(id) !== 'changed') : cards;
        if (history && trusted.length === cards.length) allTrusted.add(history);
        result.set(identity, trusted);
      }
      return result;
    },

    async acknowledge(identity, cardIds) {
      const { before } = await updateState(records, name(identity), PIN_STATE, (current) => ({
        ...current,
        pinned: [...current.pinned, ...current.changed.filter((id) => cardIds.includes(id))],
        changed: current.changed.filter((id) => !cardIds.includes(id)),
      }));
      return before.changed.filter((id) => cardIds.includes(id));
    },

    async pin(identity, cardIds) {
      await updateState(records, name(identity), PIN_STATE, (current) =>
        cardIds.every((id) => current.pinned.includes(id)) ? current : pinned(current, cardIds),
      );
    },

    async markVerified(identity, cardIds) {
      await updateState(records, name(identity), PIN_STATE, (current) => ({
        ...pinned(current, cardIds),
        verified: [...new Set([...(current.verified ?? []), ...cardIds])],
      }));
    },
  };
}

function pinned(state: PinState, cardIds: readonly CardId[]): PinState {
  return {
    ...state,
    pinned: [...new Set([...state.pinned, ...cardIds])],
    changed: state.changed.filter((id) => !cardIds.includes(id)),
  };
}

/**
 * What the log says of an identity only ever becomes more. That one state of the log follows from another
 * does not show it: see spec/log.md, "What no single lookup shows".
 */
function follow(
  identity: Identity,
  state: PinState,
  { count, hashes, size }: ProvenHistory,
  log: string,
): PinState {
  const hash = (at: number): string | undefined => {
    const bytes = hashes[at - 1];
    return bytes && base64url.encode(bytes);
  };
  // Another log begins anew: an application pins one when it lost the last one.
  const known = state.history?.log === log ? state.history : undefined;
  // Another tab may have seen more of the log than this one.
  if (known && size < known.size) return state;
  if (known && hash(known.count) !== known.hash) throw rewritten(identity);
  const latest = hash(count);
  if (latest === undefined || known?.count === count) return state;
  return { ...state, history: { log, count, hash: latest, size } };
}

/** Whether one goes on from the other: which was proven at an earlier state of the log does not matter. */
function isOne(one: ProvenHistory, other: ProvenHistory): boolean {
  const [from, to] = one.count <= other.count ? [one, other] : [other, one];
  const reached = to.hashes[from.count - 1];
  return from.count === 0 || (reached !== undefined && equal(reached, from.hash));
}

function rewritten(identity: Identity): EncryptionError {
  return new EncryptionError(
    'LOG_INVALID',
    `What the token server says of ${identity} is not what it said before, and more. Its cards are not used.`,
    { identities: [identity] },
  );
}

/**
 * Pins the cards that the log has, and those that were given: those that nobody among them vouched for,
 * so that what a compromised card vouched for falls with it.
 */
function atFirstSight(
  state: PinState,
  ids: readonly CardId[],
  history: ProvenHistory | null,
  trustedBy: Trusting,
): PinState {
  const logged = history?.cards ?? [];
  const doubtful = new Set(logged.filter(isDoubtful).map(({ card }) => card.id));
  const known = new Set([...logged.map(({ card }) => card.id), ...ids]);
  const all = [...known].filter((id) => !doubtful.has(id));
  const roots = all.filter((id) =>
    logged.every(({ card, vouchers }) => card.id !== id || vouchers.length === 0),
  );
  // Those of a circle, or whose vouchers are not to be believed, are reached from no root.
  const isReached = trustedBy(roots);
  const pinned = [...roots, ...all.filter((id) => !isReached(id))];
  return pinned.length === 0 ? state : { ...state, pinned };
}

/** Whether one of the pinned cards is enough to trust all of these. */
function isConnected(
  ids: readonly CardId[],
  pinned: readonly CardId[],
  trustedBy: Trusting,
): boolean {
  return pinned.some((root) => ids.every(trustedBy([root])));
}

/** A card that was stolen, or that a stolen one brought in. */
function isDoubtful({ card, reason, vouchers }: LoggedCard): boolean {
  const hadVoucher = card.signatures.some(
    ({ signer }) => signer === 'endorser' || signer === 'predecessor',
  );
  return reason === 'compromised' || (hadVoucher && vouchers.length === 0);
}

function withChanged(
  state: PinState,
  ids: readonly CardId[],
  history: ProvenHistory | null,
  trustedBy: Trusting,
): PinState {
  const isTrusted = trustedBy(state.pinned);
  const still = state.changed.filter((id) => !isTrusted(id));
  const unknown = ids.filter(
    (id) => !isTrusted(id) && !still.includes(id) && mayBeUsed(id, history),
  );
  if (unknown.length === 0 && still.length === state.changed.length) return state;
  // The latest: a directory must not fill the key store.
  return { ...state, changed: [...still, ...unknown].slice(-MAX_CHANGED) };
}

/** Whether a card is pinned, or one that is trusted vouched for it. */
type Trusting = (pinned: readonly CardId[]) => (id: CardId) => boolean;

function trusting(
  history: ProvenHistory | null,
  isOfThisDevice: (id: CardId) => boolean,
): Trusting {
  const vouched = (history?.cards ?? []).filter(({ vouchers }) => vouchers.length > 0);
  return (pinned) => {
    const trusted = new Set(pinned);
    const vouches = (id: CardId): boolean => trusted.has(id) && !isOfThisDevice(id);
    // Until nothing is added: who vouches may stand behind whom it vouched for.
    for (let before = -1; before < trusted.size;) {
      before = trusted.size;
      for (const { card, vouchers } of vouched) {
        if (vouchers.some(vouches)) trusted.add(card.id);
      }
    }
    return (id) => trusted.has(id);
  };
}

/** Whether somebody might still encrypt for this card: nobody needs to be asked about one that ended. */
function mayBeUsed(id: CardId, history: ProvenHistory | null): boolean {
  const logged = history?.cards.find(({ card }) => card.id === id);
  return logged === undefined || logged.status === 'live';
}
