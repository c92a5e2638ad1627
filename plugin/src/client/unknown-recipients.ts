import type { Card } from '../protocol/card.ts';
import type { Slots } from '../protocol/header.ts';
import type { ChannelSid, Identity } from '../protocol/identifiers.ts';
import { countUnknownSlots } from '../protocol/slot-parts.ts';
import { isYounger } from './age.ts';
import type { CardBook } from './card-book.ts';
import type { DeliveredMessage } from './delivered.ts';
import type { OwnCard } from './own-card.ts';
import { encryptionKeyOf } from './suite.ts';

/** Counts the slots of a live message that are for no card known here. */
export type CountUnknown = (
  delivered: DeliveredMessage,
  slots: Slots,
  sender: Card,
) => Promise<number>;

// The sender may know of a card that this device does not know yet; but a sender of strange slots
// must not have the directory asked for each message.
const REFRESH_MILLISECONDS = 30_000;
// A verified message is not held up for longer.
const PATIENCE_MILLISECONDS = 1000;

/** Compares slots with the cards of the members, asking the directory afresh before it says so. */
export function unknownRecipients(own: OwnCard, cards: CardBook, now: () => number): CountUnknown {
  const refreshes = new Map<ChannelSid, { readonly at: number; readonly done: Promise<void> }>();

  function count(members: readonly Identity[], slots: Slots, sender: Card): number {
    // The sender too: they may have left since.
    const known = [
      own.card,
      sender,
      ...[sender.identity, ...members].flatMap((identity) => cards.known(identity)),
    ];
    const keys = known.map((card) => encryptionKeyOf(card, slots.suite));
    return countUnknownSlots(
      slots,
      keys.filter((key) => key !== undefined),
    );
  }

  async function refresh(members: readonly Identity[]): Promise<void> {
    for (const identity of members) cards.refresh(identity);
    await cards.find(members);
  }

  async function ask(
    channelSid: ChannelSid,
    members: readonly Identity[],
    slots: Slots,
    sender: Card,
  ): Promise<number> {
    // Those whom this device never asked for; then all, for somebody may have a new card.
    await cards.find(members);
    if (count(members, slots, sender) === 0) return 0;
    const last = refreshes.get(channelSid);
    const recent = last && isYounger(last.at, REFRESH_MILLISECONDS, now()) ? last : null;
    const { done } = recent ?? { done: refresh(members) };
    if (!recent) refreshes.set(channelSid, { at: now(), done });
    await done;
    return count(members, slots, sender);
  }

  return async (delivered, slots, sender) => {
    const { channelSid } = delivered;
    const members = delivered.isLive ? await delivered.members().catch(() => null) : null;
    if (!members || count(members, slots, sender) === 0) return 0;
    // Without the directory nothing can be said; the message is verified all the same.
    return withinPatience(ask(channelSid, members, slots, sender), 0);
  };
}

/** What a promise gives; `otherwise` when it is not in time, or fails. */
async function withinPatience<T>(promise: Promise<T>, otherwise: T): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => {
      resolve(otherwise);
    }, PATIENCE_MILLISECONDS);
  });
  return Promise.race([promise.catch(() => otherwise), late]).finally(() => {
    clearTimeout(timer);
  });
}
