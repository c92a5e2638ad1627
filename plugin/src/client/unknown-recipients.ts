import type { Slots } from '../protocol/header.ts';
import type { ChannelSid, Identity } from '../protocol/identifiers.ts';
import { countUnknownSlots } from '../protocol/slot-parts.ts';
import { isYounger } from './age.ts';
import type { CardBook } from './card-book.ts';
import type { DeliveredMessage } from './delivered.ts';
import type { OwnCard } from './own-card.ts';
import { encryptionKeyOf } from './suite.ts';

/** Counts the slots of a live message that are for no card known here. */
export type CountUnknown = (delivered: DeliveredMessage, slots: Slots) => Promise<number>;

// The sender may know of a card that this device does not know yet; but a sender of strange slots
// must not have the directory asked for each message.
const REFRESH_MILLISECONDS = 30_000;
// A verified message is not held up for longer.
const PATIENCE_MILLISECONDS = 1000;

/** Compares slots with the cards of the members, asking the directory afresh before it says so. */
export function unknownRecipients(own: OwnCard, cards: CardBook, now: () => number): CountUnknown {
  const refreshed = new Map<ChannelSid, number>();

  function count(members: readonly Identity[], slots: Slots): number {
    const known = [own.card, ...members.flatMap((identity) => cards.known(identity))];
    const keys = known.map((card) => encryptionKeyOf(card, slots.suite));
    return countUnknownSlots(
      slots,
      keys.filter((key) => key !== undefined),
    );
  }

  async function askAgain(members: readonly Identity[]): Promise<void> {
    for (const identity of members) cards.refresh(identity);
    await cards.find(members);
  }

  return async (delivered, slots) => {
    const members = delivered.isLive ? await delivered.members().catch(() => null) : null;
    if (!members) return 0;
    const unknown = count(members, slots);
    const { channelSid } = delivered;
    const last = refreshed.get(channelSid);
    const soon = last !== undefined && isYounger(last, REFRESH_MILLISECONDS, now());
    if (unknown === 0 || soon) return unknown;
    refreshed.set(channelSid, now());
    // Without the directory nothing can be said; the message is verified all the same.
    return (await withinPatience(askAgain(members))) ? count(members, slots) : 0;
  };
}

/** Whether it was done in time. */
async function withinPatience(asking: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, PATIENCE_MILLISECONDS);
  });
  const done = asking.then(
    () => true,
    () => false,
  );
  return Promise.race([done, late]).finally(() => {
    clearTimeout(timer);
  });
}
