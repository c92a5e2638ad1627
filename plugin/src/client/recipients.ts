import { EncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import type { Suite } from '../protocol/header.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import type { LogHead } from '../protocol/log/head.ts';
import { hex, type Bytes } from '../protocol/primitives.ts';
import type { CardBook, FoundCards } from './card-book.ts';
import type { IsCarried } from './carried-heads.ts';
import type { Pins } from './pins.ts';
import { encryptionKeyOf } from './suite.ts';

/** What choosing recipients asks. */
export interface RecipientsContext {
  readonly cards: CardBook;
  readonly pins: Pins;
}

/** Whom a message is encrypted for. */
export interface Recipients {
  readonly keys: readonly Bytes[];
  /** Whose these are, and whoever has none. */
  readonly identities: readonly Identity[];
  /**
   * What the message says of the log: a head under which recipients were looked up. Each of them is to
   * ask what the log said of them there. Where it takes more than one, it is one that was not told of.
   */
  readonly head: LogHead;
}

/**
 * The keys that get a slot: those of all trusted cards of these identities and of the sender's own,
 * each one once, in an order that does not depend on who asks. A card without a key of the suite gets
 * none, also when its holder has others.
 * @param isCarried whether one of the members was told of a head
 * @throws EncryptionError `DEVICE_REVOKED`, `LOG_INVALID`, `APP_KEY_UNKNOWN`, `MEMBER_WITHOUT_CARD`, `MEMBER_WITHOUT_POST_QUANTUM_KEY`,
 * `KEY_CHANGED`, `SPLIT_VIEW` and `LOG_STALE` for people who are not pinned, the key store's and the
 * directory's errors
 */
export async function chooseRecipients(
  members: readonly Identity[],
  own: Card,
  suite: Suite,
  { cards, pins }: RecipientsContext,
  isCarried: IsCarried,
): Promise<Recipients> {
  const identities = [...new Set([own.identity, ...members])];
  const found = await cards.find(identities, isCarried);
  checkOwn(own, found);
  // By key: a card may carry a key that is not its holder's, and a key gets one slot.
  const chosen = new Map<string, { readonly id: CardId; readonly key: Bytes }>();
  const choose = (card: Card): void => {
    const key = encryptionKeyOf(card, suite);
    if (key) chosen.set(hex.encode(key), { id: card.id, key });
  };
  const without: Identity[] = [];
  const withoutSuite: Identity[] = [];
  const changed: Identity[] = [];
  const unapproved: Identity[] = [];
  // All of their cards, whatever the suite: the first sight of an identity is the first of all of them.
  const trustedOf = await pins.trusted(found);
  for (const [identity, { cards: all, history }] of found) {
    const acceptable = all.filter((card) => encryptionKeyOf(card, suite));
    const trusted = (trustedOf.get(identity) ?? []).filter((card) => acceptable.includes(card));
    trusted.forEach(choose);
    if (identity === own.identity || trusted.length > 0) continue;
    // Whoever has no card may get one any moment: the next attempt asks the directory again.
    cards.refresh(identity);
    if (acceptable.length > 0) changed.push(identity);
    else if (history.cards.length === 0 && history.invalid > 0) unapproved.push(identity);
    else (all.length === 0 ? without : withoutSuite).push(identity);
  }
  choose(own);
  if (unapproved.length > 0) throw appKeyUnknown(unapproved);
  if (without.length > 0) throw memberWithoutCard(without);
  if (withoutSuite.length > 0) throw memberWithoutSuite(withoutSuite);
  if (changed.length > 0) throw keyChanged(changed);
  const keys = [...chosen.values()]
    .sort((one, other) => (one.id < other.id ? -1 : 1))
    .map(({ key }) => key);
  return { keys, identities, head: headToCarry(found, isCarried) };
}

function headToCarry(found: ReadonlyMap<Identity, FoundCards>, isCarried: IsCarried): LogHead {
  const untold = [...found].find(([identity, { head }]) => !isCarried(head, identity));
  if (untold) return untold[1].head;
  const heads = [...found.values()].map(({ head }) => head);
  return heads.reduce((latest, each) => (each.size > latest.size ? each : latest));
}

/** What a device says whose card is not live any more, or that nobody finds, nobody should believe. */
function checkOwn(card: Card, found: ReadonlyMap<Identity, FoundCards>): void {
  const own = found.get(card.identity);
  if (own?.cards.some(({ id }) => id === card.id)) return;
  if (!own?.history.cards.some((logged) => logged.card.id === card.id)) {
    const message =
      "Not sent: the token server approved this device's card, and does not have it in its log. Nobody would find it.";
    throw new EncryptionError('LOG_INVALID', message, { identities: [card.identity] });
  }
  throw new EncryptionError(
    'DEVICE_REVOKED',
    "Not sent: this device's card was revoked, or replaced by another. It needs a new one.",
  );
}

/** The log has cards of theirs, and none is accepted: not that they have no device. */
function appKeyUnknown(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'APP_KEY_UNKNOWN',
    `Not sent: no pinned application key approved the cards of ${identities.join(', ')}. The application needs an update, or another appKey.`,
    { identities },
  );
}

function memberWithoutCard(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'MEMBER_WITHOUT_CARD',
    `Not sent: ${identities.join(', ')} cannot read encrypted messages yet (no valid card). They need to sign in once with the application.`,
    { identities },
  );
}

function memberWithoutSuite(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'MEMBER_WITHOUT_POST_QUANTUM_KEY',
    `Not sent: no card of ${identities.join(', ')} has a post-quantum key, and this device encrypts for such keys only. They need a device that was opened with postQuantum from the start.`,
    { identities },
  );
}

function keyChanged(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'KEY_CHANGED',
    `Not sent: the keys of ${identities.join(', ')} changed. Compare them, then call acknowledge with the cardIds of the event keyChanged.`,
    { identities },
  );
}
