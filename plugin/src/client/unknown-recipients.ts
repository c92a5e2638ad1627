import type { Card } from '../protocol/card.ts';
import type { Slots } from '../protocol/header.ts';
import type { Identity } from '../protocol/identifiers.ts';
import { countUnknownSlots } from '../protocol/slot-parts.ts';
import { isYounger } from './age.ts';
import { FRESH_MILLISECONDS, MAX_SEARCHED, type CardBook } from './card-book.ts';
import type { DeliveredMessage } from './delivered.ts';
import type { DeviceKeys } from './device-keys.ts';
import { encryptionKeyOf } from './suite.ts';

/**
 * Counts the slots of a live message that are for no card known here: 0 when that cannot be said. It
 * may take a while, but does not reject.
 */
export type CountUnknown = (
  delivered: DeliveredMessage,
  slots: Slots,
  sender: Card,
) => Promise<number>;

// The sender may know of a card that this device does not know yet: answers that are older are asked
// for again, if there is anything left to ask with. A directory that failed is left alone as long.
const RECENT_MILLISECONDS = 30_000;
// For all channels together, in the time for which an answer counts. Twilio's channels have 1000
// members at most, 34 requests: the largest can be asked for whole, and some who join. It is what
// sending one message there costs, and a fifteenth of the 600 requests that a token server lets one
// person make in that time: what a sender of strange slots brings about stops no message.
const MAX_REQUESTS = 40;
// A verified message is not held up for longer.
const PATIENCE_MILLISECONDS = 1000;

/** Compares slots with the cards of the members, asking the directory afresh before it says so. */
export function unknownRecipients(
  keys: DeviceKeys,
  cards: CardBook,
  now: () => number,
): CountUnknown {
  const take = budget(now);
  let failedAt = -Infinity;
  // One after the other: what is asked for one message need not be asked for the next.
  let last: Promise<unknown> = Promise.resolve();

  function count(people: readonly Identity[], slots: Slots, sender: Card): number {
    const own = keys.all().map(({ card }) => card);
    const known = [...own, sender, ...people.flatMap((identity) => cards.known(identity))];
    const knownKeys = known.map((card) => encryptionKeyOf(card, slots.suite));
    return countUnknownSlots(
      slots,
      knownKeys.filter((key) => key !== undefined),
    );
  }

  const isWithin = (identity: Identity, limit: number): boolean =>
    isYounger(cards.foundAt(identity), limit, now());

  async function ask(people: readonly Identity[], countNow: () => number): Promise<number> {
    for (const some of requests(people, cards, (one) => isWithin(one, RECENT_MILLISECONDS))) {
      if (countNow() === 0) return 0;
      if (isYounger(failedAt, RECENT_MILLISECONDS, now()) || !take()) break;
      await cards.ask(some);
    }
    // What is said of others needs answers about everybody, as young as those by which one sends.
    return people.every((one) => isWithin(one, FRESH_MILLISECONDS)) ? countNow() : 0;
  }

  return async (delivered, slots, sender) => {
    const members = delivered.isLive ? await delivered.members().catch(() => null) : null;
    // The sender too: they may have left since.
    const people = members && [...new Set([sender.identity, ...members])];
    const countNow = (): number => count(people ?? [], slots, sender);
    if (!people || countNow() === 0) return 0;
    const asked = last.then(() => ask(people, countNow));
    // Without the directory nothing can be said; the message is verified all the same.
    const counted = asked.catch(() => {
      failedAt = now();
      return 0;
    });
    last = counted;
    return counted;
  };
}

/** Whom to ask for: first those who were never found, then the others, the oldest answers first. */
function requests(
  people: readonly Identity[],
  cards: CardBook,
  isRecent: (identity: Identity) => boolean,
): Identity[][] {
  const isNew = (identity: Identity): boolean => cards.foundAt(identity) === -Infinity;
  const before = people
    .filter((identity) => !isNew(identity) && !isRecent(identity))
    .sort((one, other) => cards.foundAt(one) - cards.foundAt(other));
  return [...inParts(people.filter(isNew)), ...inParts(before)];
}

function inParts(identities: readonly Identity[]): Identity[][] {
  const count = Math.ceil(identities.length / MAX_SEARCHED);
  return Array.from({ length: count }, (_, part) =>
    identities.slice(part * MAX_SEARCHED, (part + 1) * MAX_SEARCHED),
  );
}

/** Whether one more request may be made. */
function budget(now: () => number): () => boolean {
  let taken: readonly number[] = [];
  return () => {
    taken = taken.filter((at) => isYounger(at, FRESH_MILLISECONDS, now()));
    if (taken.length >= MAX_REQUESTS) return false;
    taken = [...taken, now()];
    return true;
  };
}

/** What was counted, or 0 when that takes longer than a message is held up for it. */
export async function countedSoon(counting: Promise<number>): Promise<number> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<number>((resolve) => {
    timer = setTimeout(() => {
      resolve(0);
    }, PATIENCE_MILLISECONDS);
  });
  return Promise.race([counting, late]).finally(() => {
    clearTimeout(timer);
  });
}
