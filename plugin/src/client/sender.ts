import { isEncryptionError } from '../errors.ts';
import { encodeContent } from '../protocol/content.ts';
import type { ChannelSid } from '../protocol/identifiers.ts';
import type { EditTarget } from '../protocol/message.ts';
import { cardSender, type CardSender, type SenderContext } from './card-sender.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { Delivery, OutgoingContent, Outlet } from './outlet.ts';

/** Encrypts and sends messages: one at a time in each channel, whatever tab or process it is from. */
export interface Sender {
  /**
   * Signs a message, encrypts it for all trusted cards of the members and the sender's own, and
   * posts it. In a channel of more than 16 cards, or if it is too long for that many slots, it is a
   * follower of a session, for which a key message is posted first when one is due.
   * @param delivery how this one gets there, when it is not a message of text alone
   * @returns the message's index
   * @throws EncryptionError `INVALID_CONTENT`, `MESSAGE_TOO_LARGE`, `MEMBER_WITHOUT_CARD`,
   * `MEMBER_WITHOUT_POST_QUANTUM_KEY`, `KEY_CHANGED`, `RECIPIENT_UNAPPROVED`, `SUITE_DOWNGRADE`, `TOO_MANY_RECIPIENTS`,
   * `DELIVERY_UNKNOWN`, `DEVICE_BUSY`, the key store's and the directory's errors, and what the
   * outlet throws
   */
  send(outlet: Outlet, content: OutgoingContent, delivery?: Delivery): Promise<number>;
  /**
   * Makes the envelope that replaces a message of this person's; errors as {@link send}.
   * @param limit the longest envelope that its place holds, in characters
   * @returns the new body for Twilio
   */
  edit(
    outlet: Outlet,
    target: EditTarget,
    content: OutgoingContent,
    limit?: number,
  ): Promise<string>;
  /**
   * Learns of a message of this very card, as it was read: a device whose storage was rolled back
   * must not use a number twice.
   */
  readonly sawOwn: (channelSid: ChannelSid, sequence: number) => Promise<void>;
}

/** The sender of one device. */
export function sender(context: SenderContext & { readonly keys: DeviceKeys }): Sender {
  let latest: CardSender | null = null;

  function current(): CardSender {
    const own = context.keys.current();
    if (latest?.own !== own) latest = cardSender(own, context);
    return latest;
  }

  /** Sends under the card that the device has, or has by then: looking up who reads may show a newer one. */
  async function underCurrent<T>(work: (card: CardSender) => Promise<T>): Promise<T> {
    const card = current();
    try {
      return await work(card);
    } catch (error) {
      if (!isEncryptionError(error, 'DEVICE_REVOKED') || current() === card) throw error;
      return work(current());
    }
  }

  // Until the message is there, not only until it has its number: readers are told when the order in
  // the channel is not that of the numbers. Who is in turn finds all that others did in the key store.
  function inTurn<T>(channelSid: ChannelSid, work: (card: CardSender) => Promise<T>): Promise<T> {
    return context.records.lock(`send/${channelSid}`, () => underCurrent(work));
  }

  return {
    async send(outlet, content, delivery = outlet) {
      const encoded = encodeContent(content);
      return inTurn(outlet.channelSid, (card) => card.send(outlet, encoded, delivery));
    },

    async edit(outlet, target, content, limit = outlet.limit) {
      const encoded = encodeContent(content);
      return inTurn(outlet.channelSid, (card) => card.edit(outlet, target, encoded, limit));
    },

    sawOwn: (channelSid, sequence) => current().sawOwn(channelSid, sequence),
  };
}
