import { EncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import { encodeContent } from '../protocol/content.ts';
import { sealMessage } from '../protocol/message-envelope.ts';
import type { SignedMessage } from '../protocol/message.ts';
import { messageIdOf, type ChannelSid, type Identity } from '../protocol/identifiers.ts';
import type { Bytes, RandomSource } from '../protocol/primitives.ts';
import { createEphemeral, x25519Slots, type Ephemeral } from '../protocol/slot.ts';
import type { CardBook } from './card-book.ts';
import { isYounger } from './age.ts';
import type { KeyStore } from './key-store.ts';
import type { OwnCard } from './own-card.ts';
import type { Pins } from './pins.ts';
import { updateState, type StateType } from './state.ts';

/** What a sender works with. */
export interface SenderContext {
  readonly own: OwnCard;
  readonly keyStore: KeyStore;
  readonly cards: CardBook;
  readonly pins: Pins;
  readonly random: RandomSource;
  readonly now: () => number;
}

/** Encrypts messages. */
export interface Sender {
  /**
   * Signs a message and encrypts it for all trusted cards of these identities and the sender's own.
   * @returns the text to give to Twilio
   * @throws EncryptionError `INVALID_CONTENT`, `MEMBER_WITHOUT_CARD`, `KEY_CHANGED`,
   * `TOO_MANY_RECIPIENTS`, the key store's and the directory's errors
   */
  seal(
    channelSid: ChannelSid,
    members: readonly Identity[],
    content: { body?: string; attributes?: unknown },
  ): Promise<string>;
}

// Slot keys live as long as the ephemeral: the bounds say how much one leaked ephemeral opens.
const EPHEMERAL_MILLISECONDS = 60 * 60_000;
const EPHEMERAL_ENVELOPES = 1000;

const SEQUENCE: StateType<number> = {
  initial: 0,
  isValid: (value): value is number => Number.isSafeInteger(value),
};

/** The sender of one device. */
export function sender(context: SenderContext): Sender {
  const { own, keyStore, random, now } = context;
  const ephemeralOf = ephemerals(random, now);
  return {
    async seal(channelSid, members, content) {
      const encoded = encodeContent(content);
      const recipients = await chooseRecipients(members, context);
      // Counted and stored before anything is sent: a number is lost at worst, never used twice.
      const name = `sequence/${own.card.id}/${channelSid}`;
      const { after: sequence } = await updateState(keyStore, name, SEQUENCE, (last) => last + 1);
      const message: SignedMessage = {
        kind: 'message',
        channelSid,
        senderCardId: own.card.id,
        messageId: messageIdOf(random(16)),
        sequence,
        sentAt: now(),
        content: encoded,
      };
      const ephemeral = await ephemeralOf(channelSid);
      const slots = x25519Slots(ephemeral, recipients);
      return (await sealMessage(message, own.signingKey, slots, random)).text;
    },
  };
}

function ephemerals(
  random: RandomSource,
  now: () => number,
): (channelSid: ChannelSid) => Promise<Ephemeral> {
  const current = new Map<ChannelSid, { ephemeral: Ephemeral; madeAt: number; left: number }>();
  return async (channelSid) => {
    const known = current.get(channelSid);
    if (known && known.left > 0 && isYounger(known.madeAt, EPHEMERAL_MILLISECONDS, now())) {
      known.left -= 1;
      return known.ephemeral;
    }
    const ephemeral = await createEphemeral(random);
    current.set(channelSid, { ephemeral, madeAt: now(), left: EPHEMERAL_ENVELOPES - 1 });
    return ephemeral;
  };
}

async function chooseRecipients(
  members: readonly Identity[],
  { own, cards, pins }: SenderContext,
): Promise<readonly Bytes[]> {
  const identities = [...new Set([own.card.identity, ...members])];
  const found = await cards.find(identities);
  // By key: a card may carry a key that is not its holder's, and a key gets one slot.
  const chosen = new Map<string, Bytes>();
  const choose = ({ encryptionKey }: Card): void => {
    chosen.set(encryptionKey.join(), encryptionKey);
  };
  choose(own.card);
  const without: Identity[] = [];
  const changed: Identity[] = [];
  for (const [identity, { cards: acceptable }] of found) {
    const trust = await pins.check(identity, acceptable);
    const trusted = acceptable.filter(({ id }) => trust.get(id) !== 'changed');
    trusted.forEach(choose);
    if (identity === own.card.identity || trusted.length > 0) continue;
    // Whoever has no card may get one any moment: the next attempt asks the directory again.
    cards.refresh(identity);
    (acceptable.length === 0 ? without : changed).push(identity);
  }
  if (without.length > 0) throw memberWithoutCard(without);
  if (changed.length > 0) throw keyChanged(changed);
  return [...chosen.values()];
}

function memberWithoutCard(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'MEMBER_WITHOUT_CARD',
    `Not sent: ${identities.join(', ')} cannot read encrypted messages yet (no valid card). They need to sign in once with the application.`,
    { identities },
  );
}

function keyChanged(identities: readonly Identity[]): EncryptionError {
  return new EncryptionError(
    'KEY_CHANGED',
    `Not sent: the keys of ${identities.join(', ')} changed. Compare them, then acknowledge the change.`,
    { identities },
  );
}
