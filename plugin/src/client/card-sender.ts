/** Sending under one card: its numbers, its sessions, its signatures. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import { xwing } from '../protocol/xwing.ts';
import { messageIdOf, type ChannelSid, type Identity } from '../protocol/identifiers.ts';
import {
  sealedLength,
  sealFollower,
  sealMessage,
  type SealedMessage,
} from '../protocol/message-envelope.ts';
import type { EditTarget, MessageMeasures, SignedMessage } from '../protocol/message.ts';
import type { LogHead } from '../protocol/log/head.ts';
import { base64url, hash, hex, type Bytes, type RandomSource } from '../protocol/primitives.ts';
import type { Session } from '../protocol/session.ts';
import { x25519Slots } from '../protocol/slot.ts';
import type { SlotSealer } from '../protocol/slot-parts.ts';
import { xwingSlots } from '../protocol/slot-xwing.ts';
import { isYounger } from './age.ts';
import { ephemerals } from './ephemerals.ts';
import type { EncryptedChannels } from './encrypted-channels.ts';
import type { IncomingSessions } from './incoming-sessions.ts';
import {
  outbox,
  UNREPEATABLE,
  type Outbox,
  type OutboxEntry,
  type OutgoingSession,
} from './outbox.ts';
import type { Delivery, Outlet } from './outlet.ts';
import type { OwnCard } from './own-card.ts';
import { patiently } from './patience.ts';
import { carriedHeads } from './carried-heads.ts';
import { chooseRecipients, type Recipients, type RecipientsContext } from './recipients.ts';
import type { Records } from './state.ts';
import { suiteOf } from './suite.ts';

/** What sending works with, whatever the card. */
export interface SenderContext extends RecipientsContext {
  readonly records: Records;
  /** What is to go with the keys of a card when they are deleted. */
  readonly recordsOf: (own: OwnCard) => Records;
  readonly random: RandomSource;
  readonly now: () => number;
  readonly encrypted: EncryptedChannels;
  /** Keeps the sessions that this device opens, so that it reads its own messages. */
  readonly sessions: Pick<IncomingSessions, 'keep'>;
}

/**
 * Sends under one card. Whoever calls is the only one who sends in that channel, and the
 * application approved the members; errors as `Sender`.
 */
export interface CardSender {
  readonly own: OwnCard;
  readonly checkRecipients: (outlet: Outlet, members: readonly Identity[]) => Promise<void>;
  /** @param content encoded */
  readonly send: (
    outlet: Outlet,
    members: readonly Identity[],
    content: Bytes,
    delivery: Delivery,
  ) => Promise<number>;
  /** @param content encoded */
  readonly edit: (
    outlet: Outlet,
    members: readonly Identity[],
    target: EditTarget,
    content: Bytes,
    limit: number,
  ) => Promise<string>;
  readonly sawOwn: (channelSid: ChannelSid, sequence: number) => Promise<void>;
}

/** Up to so many cards a message that has room brings its key itself, and can be read alone. */
const MAX_CARRIER_CARDS = 16;
// One key leaked from a device opens that many messages of one sender, and not those of tomorrow.
const SESSION_MESSAGES = 200;
const SESSION_MILLISECONDS = 24 * 60 * 60_000;
const MAX_ATTEMPTS = 3;

/** Encrypts one signed message for a set of recipients. */
interface Route {
  readonly recipients: string;
  seal(message: SignedMessage): Promise<SealedMessage>;
}

/** What sends under one card of a device. */
export function cardSender(own: OwnCard, context: SenderContext): CardSender {
  const { sessions, random, now } = context;
  const suite = suiteOf(own.card);
  const ephemeralOf = ephemerals(random, now);
  const highest = new Map<ChannelSid, number>();
  const outboxes = new Map<ChannelSid, Outbox>();
  const carried = carriedHeads();

  function outboxOf(channelSid: ChannelSid): Outbox {
    const box = outboxes.get(channelSid) ?? outbox(context.recordsOf(own), own.card.id, channelSid);
    outboxes.set(channelSid, box);
    return box;
  }

  async function recipientsIn(
    { channelSid }: Outlet,
    members: readonly Identity[],
  ): Promise<Recipients> {
    // A message is not lost because the token server was restarted.
    const recipients = await patiently('DIRECTORY_UNREACHABLE', () =>
      chooseRecipients(members, own.card, suite, context, (head, identity) =>
        carried.has(channelSid, head, identity),
      ),
    );
    await context.encrypted.checkSuite(channelSid, suite);
    await context.encrypted.add(channelSid, suite);
    return recipients;
  }

  async function slotsFor(channelSid: ChannelSid, keys: readonly Bytes[]): Promise<SlotSealer> {
    if (suite === 2) return xwingSlots(await xwing(), keys, random);
    return x25519Slots(await ephemeralOf(channelSid), keys);
  }

  async function routeTo(
    outlet: Outlet,
    { keys, head }: Recipients,
    message: MessageMeasures,
    limit: number,
  ): Promise<Route> {
    // A follower is the shortest: before anything is posted for what cannot be sent.
    checkSize(sealedLength(message, suite, 0), limit);
    const recipients = nameOf(keys);
    const hasRoom = sealedLength(message, suite, keys.length) <= limit;
    if (hasRoom && keys.length <= MAX_CARRIER_CARDS) {
      const slots = await slotsFor(outlet.channelSid, keys);
      const { signingKey } = own;
      return { recipients, seal: (message) => sealMessage(message, signingKey, slots, random) };
    }
    const box = outboxOf(outlet.channelSid);
    for (;;) {
      const { session } = await box.read();
      const open =
        session?.recipients === recipients &&
        isYounger(session.openedAt, SESSION_MILLISECONDS, now());
      if (open && (await box.spend(session))) return follow(outlet.channelSid, session);
      await openSession(outlet, box, { keys, head });
    }
  }

  function follow(channelSid: ChannelSid, session: OutgoingSession): Route {
    const { recipients, keyMessageIndex } = session;
    const opened = sessionOf(channelSid, session);
    return {
      recipients,
      seal: (message) => sealFollower(message, own.signingKey, opened, keyMessageIndex, random),
    };
  }

  function sessionOf(channelSid: ChannelSid, session: OutgoingSession): Session {
    return {
      channelSid,
      senderCardId: own.card.id,
      sessionId: decode(session.sessionId),
      messageKey: decode(session.messageKey),
      suite: session.suite,
    };
  }

  async function openSession(
    outlet: Outlet,
    box: Outbox,
    { keys, head }: Pick<Recipients, 'keys' | 'head'>,
  ): Promise<void> {
    const { channelSid } = outlet;
    const recipients = nameOf(keys);
    const slots = await slotsFor(channelSid, keys);
    const opened: Session[] = [];
    const entry = await box.add(async (sequence) => {
      const message: SignedMessage = {
        ...signedBy(channelSid, head),
        kind: 'key',
        sequence,
        content: new Uint8Array(),
      };
      const { text, session } = await sealMessage(message, own.signingKey, slots, random);
      if (session) opened.push(session);
      return { sequence, kind: 'key', text, recipients };
    });
    const session = opened.at(-1);
    if (!session) throw new TypeError('A key message opens a session.');
    const keyMessageIndex = await deliver(outlet, box, entry);
    await sessions.keep(session, own);
    await box.setSession({
      sessionId: base64url.encode(session.sessionId),
      messageKey: base64url.encode(session.messageKey),
      suite: session.suite,
      keyMessageIndex,
      recipients,
      openedAt: now(),
      left: SESSION_MESSAGES,
    });
  }

  function signedBy(channelSid: ChannelSid, head: LogHead) {
    return {
      channelSid,
      senderCardId: own.card.id,
      messageId: messageIdOf(random(16)),
      sentAt: now(),
      head,
    };
  }

  return {
    own,

    async checkRecipients(outlet, members) {
      await recipientsIn(outlet, members);
    },

    async send(outlet, members, content, delivery) {
      const { channelSid } = outlet;
      const recipients = await recipientsIn(outlet, members);
      const { head, identities } = recipients;
      const box = outboxOf(channelSid);
      await settle(outlet, box, nameOf(recipients.keys));
      const measures = { channelSid, kind: 'message', content } as const;
      const route = await routeTo(outlet, recipients, measures, delivery.limit);
      const entry = await box.add(async (sequence) => {
        const message: SignedMessage = {
          ...signedBy(channelSid, head),
          kind: 'message',
          sequence,
          content,
        };
        const { text } = await route.seal(message);
        // The next run has the envelope only: not the files, or what stands beside it in the clear.
        const kind = delivery === outlet ? 'message' : UNREPEATABLE;
        return { sequence, kind, text, recipients: route.recipients };
      });
      const index = await deliver(delivery, box, entry);
      carried.add(channelSid, head, identities);
      return index;
    },

    async edit(outlet, members, target, content, limit) {
      const { channelSid } = outlet;
      const recipients = await recipientsIn(outlet, members);
      // A key message may be due, and must not overtake what was left with a lower number.
      await settle(outlet, outboxOf(channelSid), nameOf(recipients.keys));
      const edit = { channelSid, kind: 'edit', content } as const;
      const route = await routeTo(outlet, recipients, edit, limit);
      const signed = signedBy(channelSid, recipients.head);
      const { text } = await route.seal({ ...signed, ...edit, target });
      return text;
    },

    async sawOwn(channelSid, sequence) {
      if (sequence <= (highest.get(channelSid) ?? 0)) return;
      highest.set(channelSid, await outboxOf(channelSid).raise(sequence));
    },
  };
}

/** Names a set of recipients: the same keys, the same name. */
function nameOf(keys: readonly Bytes[]): string {
  return hex.encode(hash('recipients', ...keys));
}

/**
 * Posts until it is known whether the message arrived. What has to be posted again is the very same
 * envelope: if both arrive, readers know the copy and hide it.
 */
async function deliver(outlet: Delivery, box: Outbox, entry: OutboxEntry): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      const found = attempt > 1 ? await outlet.find(entry.text) : null;
      const index = found ?? (await outlet.post(entry.text));
      // What stays in the outbox is looked for later, and then found.
      await box.giveUp(entry).catch(() => undefined);
      return index;
    } catch (error) {
      if (attempt < MAX_ATTEMPTS && isEncryptionError(error, 'DELIVERY_UNKNOWN')) continue;
      // The application is told that it failed, so it must not be posted later behind its back.
      await box.giveUp(entry).catch(() => {
        throw deliveryUnknown(error, NOT_GIVEN_UP);
      });
      // A refusal says nothing of an attempt before it.
      throw attempt > 1 ? deliveryUnknown(error) : error;
    }
  }
}

/**
 * Brings to an end what a tab or process left in the outbox, when it was stopped before it knew: looks
 * for it, and posts it if it did not arrive. Not if the recipients are others by now. What is there
 * was left: who is still sending has the lock.
 */
async function settle(outlet: Outlet, box: Outbox, recipients: string): Promise<void> {
  for (const entry of (await box.read()).outbox) {
    const wanted = entry.kind === 'message' && entry.recipients === recipients;
    if (wanted && (await outlet.find(entry.text)) === null) await deliver(outlet, box, entry);
    else await box.remove(entry);
  }
}

const BROKEN = 'The connection to Twilio broke: the message may or may not have arrived.';
const NOT_GIVEN_UP =
  'The message failed, and the key store cannot be written: it may be posted when this device is opened again.';

function deliveryUnknown(cause: unknown, why = BROKEN): EncryptionError {
  return new EncryptionError('DELIVERY_UNKNOWN', `${why} Look before sending it again.`, { cause });
}

// An envelope is ASCII: its length is its size in bytes.
function checkSize(length: number, limit: number): void {
  if (length <= limit) return;
  throw new EncryptionError(
    'MESSAGE_TOO_LARGE',
    `Not sent: encrypted, the message has ${length} bytes, and Twilio takes ${limit}. Shorten it or its attributes.`,
  );
}

function decode(text: string): Bytes {
  return base64url.decode(text) ?? new Uint8Array();
}
