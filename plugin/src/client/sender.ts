import { isEncryptionError } from '../errors.ts';
import { encodeContent } from '../protocol/content.ts';
import type { ChannelSid, Identity } from '../protocol/identifiers.ts';
import { cardSender, type CardSender, type SenderContext } from './card-sender.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { Delivery, OutgoingContent, OutgoingEdit, Outlet } from './outlet.ts';
import { ownEdits } from './own-edits.ts';
import type { RecipientPolicy } from './recipient-policy.ts';

/** Encrypts and sends messages: one at a time in each channel, whatever tab or process it is from. */
export interface Sender {
  /**
   * Signs a message, encrypts it for all trusted cards of the members and the sender's own, and
   * posts it. In a channel of more than 16 cards, or if it is too long for that many slots, it is a
   * follower of a session, for which a key message is posted first when one is due.
   * @param delivery how this one gets there, when it is not a message of text alone
   * @returns the message's index
   * @throws EncryptionError `INVALID_CONTENT`, `MESSAGE_TOO_LARGE`, `MEMBER_WITHOUT_CARD`,
   * `MEMBER_WITHOUT_POST_QUANTUM_KEY`, `KEY_CHANGED`, `NOT_A_MEMBER`,
   * `RECIPIENT_UNAPPROVED`, `SUITE_DOWNGRADE`, `TOO_MANY_RECIPIENTS`,
   * `DELIVERY_UNKNOWN`, `DEVICE_BUSY`, the key store's and the directory's errors, and what the
   * outlet throws
   */
  send(outlet: Outlet, content: OutgoingContent, delivery?: Delivery): Promise<number>;
  /**
   * Whether something could be sent now: before what takes long, and would be in vain. Errors are those
   * of {@link send} that do not depend on the message.
   */
  checkRecipients(outlet: Outlet): Promise<void>;
  /**
   * Encrypts a message again and posts it in its place; errors as {@link send}, and what the edit
   * throws. The tabs of a device take turns until Twilio answered, so that each builds on the others'.
   */
  edit(outlet: Outlet, edit: OutgoingEdit): Promise<void>;
  /**
   * Learns of a message of this very card, as it was read: a device whose storage was rolled back
   * must not use a number twice.
   */
  readonly sawOwn: (channelSid: ChannelSid, sequence: number) => Promise<void>;
}

type Work<T> = (card: CardSender, members: readonly Identity[]) => Promise<T>;

/** The sender of one device. */
export function sender(
  context: SenderContext & { readonly keys: DeviceKeys; readonly policy: RecipientPolicy },
): Sender {
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

  /** Does what sends something, when it is its turn in the channel, for members who are approved. */
  async function inTurn<T>(outlet: Outlet, work: Work<T>): Promise<T> {
    for (;;) {
      const members = await outlet.members();
      // The application may take its time to approve somebody: others do not wait for it.
      await context.policy.check(outlet.channelSid, members);
      const done = await locked(outlet, new Set(members), work);
      if (done) return done.result;
    }
  }

  // The lock is held until the message is there, not only until it has its number: readers are told when
  // the order in the channel is not that of the numbers. Who is in turn finds all that others did in the
  // key store. Who left meanwhile gets nothing; if somebody came, the application is asked about them.
  function locked<T>(
    outlet: Outlet,
    approved: ReadonlySet<Identity>,
    work: Work<T>,
  ): Promise<{ readonly result: T } | null> {
    return context.records.lock(`send/${outlet.channelSid}`, async () => {
      const members = await outlet.members();
      if (!members.every((identity) => approved.has(identity))) return null;
      return { result: await underCurrent((card) => work(card, members)) };
    });
  }

  return {
    async send(outlet, content, delivery = outlet) {
      const encoded = encodeContent(content);
      return inTurn(outlet, (card, members) => card.send(outlet, members, encoded, delivery));
    },

    async checkRecipients(outlet) {
      const members = await outlet.members();
      await context.policy.check(outlet.channelSid, members);
      await underCurrent((card) => card.checkRecipients(outlet, members));
    },

    edit: (outlet, { name, prepare }) =>
      inTurn(outlet, async (card, members) => {
        const edits = ownEdits(context.records, outlet.channelSid);
        const { revision, content, limit, replace } = await prepare(await edits.latest(name));
        const encoded = encodeContent(content);
        const target = { ...name, revision };
        const text = await card.edit(outlet, members, target, encoded, limit);
        // Before it is posted: a tab that dies meanwhile leaves it to the next one.
        await edits.remember(name, { revision, text });
        try {
          await replace(text);
        } catch (error) {
          // Without room for that, the other edits are forgotten, too.
          const refused = edits.remember(name, { revision, text: null });
          await refused.catch(() => edits.forget()).catch(() => undefined);
          throw error;
        }
      }),

    sawOwn: (channelSid, sequence) => current().sawOwn(channelSid, sequence),
  };
}
