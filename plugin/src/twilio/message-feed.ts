import type { Channel, Message } from 'twilio-chat';
import type { DeliveredMessage } from '../client/delivered.ts';
import type { Device } from '../client/device.ts';
import type { JudgedMessage, ReceivedMessage } from '../client/judged.ts';
import { parseChannelSid, parseIdentity } from '../protocol/identifiers.ts';
import { keyFile } from './key-file.ts';
import { openedMessage, type Looks, type OpenedMessage } from './message.ts';
import type { ChannelOutlet } from './outlet.ts';
import type { MessageFeed, Wrappers } from './registry.ts';
import type { ReplayEmitter } from './replay-emitter.ts';
import { retryQueue } from './retry-queue.ts';
import { serial } from './serial.ts';

// A message whose card takes longer is shown as pending, so that it does not hold up the others.
const PATIENCE_MILLISECONDS = 2000;

const CLEAR = { status: 'clear', code: 'CHANNEL_NOT_ENCRYPTED' } as const;

/**
 * Opens what the channel's events bring. Messages are judged side by side; they are compared with
 * what is remembered, and shown, one after the other in the order in which the SDK told of them.
 */
export function messageFeed(
  raw: Channel,
  wrap: Wrappers,
  outlet: ChannelOutlet,
  channelEmitter: ReplayEmitter<Channel>,
): MessageFeed {
  const { device } = wrap;
  const inOrder = serial();
  const opened = new WeakMap<Message, OpenedMessage>();
  // Shown to the application: from then on changes are told of, also that it became a copy.
  const shown = new WeakSet<Message>();
  const attempted = new WeakMap<Message, number>();
  const judgements = new WeakMap<
    Message,
    { readonly of: string; readonly judging: Promise<JudgedMessage> }
  >();
  const emitters: ReplayEmitter<unknown>[] = [channelEmitter];

  // What cannot be decided, because a rule throws or a store does not answer, is not clear.
  const isClear = (): Promise<boolean> => wrap.rule.isClear(raw).catch(() => false);

  function emit(name: string, event: unknown): void {
    for (const emitter of emitters) emitter.emit(name, event);
  }

  // What arrives together is compared together: a number that is missing in the middle may stand in
  // a message that is still being judged.
  function openAll<T>(
    messages: readonly Message[],
    justArrived: boolean,
    then: (opened: OpenedMessage) => T,
  ): Promise<T[]> {
    const judging = Promise.all(
      messages.map(async (message) => {
        const attempts = attempted.get(message) ?? 0;
        const delivered = deliveredOf(message, raw, device, { justArrived, attempts });
        return (await isClear())
          ? { delivered, outcome: CLEAR }
          : inTime(delivered, judgement(message, delivered));
      }),
    );
    // Awaited in its turn.
    judging.catch(() => undefined);
    return inOrder(async () => {
      const received = await device.accept(await judging);
      return received.flatMap((one, at) => {
        const message = messages[at];
        return message ? [then(show(message, one))] : [];
      });
    });
  }

  // A judgement that took too long goes on, and the next try waits for the same one. Of a file that
  // was read the judgement is kept: files are large, and Twilio's name of one is of one file.
  function judgement(message: Message, delivered: DeliveredMessage): Promise<JudgedMessage> {
    const of = `${message.author} ${delivered.file ? message.media.sid : delivered.body}`;
    const known = judgements.get(message);
    if (known?.of === of) return known.judging;
    const judging = device.judge(delivered);
    judgements.set(message, { of, judging });
    const forget = (judged?: JudgedMessage): void => {
      const keep = delivered.file && judged && 'verified' in judged;
      if (!keep && judgements.get(message)?.judging === judging) judgements.delete(message);
    };
    judging.then(forget, () => {
      forget();
    });
    return judging;
  }

  function show(message: Message, received: ReceivedMessage): OpenedMessage {
    const known = opened.get(message) ?? openedMessage(message, received, wrap, outlet);
    known.show(received);
    opened.set(message, known);
    if (received.encryption.status === 'pending') {
      attempted.set(message, (attempted.get(message) ?? 0) + 1);
      retries.add(message);
    } else {
      retries.delete(message);
    }
    if (!received.hidden) shown.add(message);
    return known;
  }

  // What was shown and is to be hidden, because it proved to be a key message or a copy, is removed.
  function emitChanged(changed: OpenedMessage, updateReasons: readonly string[]): void {
    if (changed.received.hidden) {
      emit('messageRemoved', changed.facade);
    } else {
      changed.emitUpdated(updateReasons);
      emit('messageUpdated', { message: changed.facade, updateReasons });
    }
  }

  const retries = retryQueue(device.closed, async (messages) => {
    await openAll(messages, true, (retried) => {
      if (retried.received.encryption.status !== 'pending')
        emitChanged(retried, ['body', 'attributes']);
    });
  });

  let before = true;
  // Only a closed device fails here, and that has nobody left to tell.
  function handle(message: Message, then: (opened: OpenedMessage) => void): void {
    openAll([message], !before, then).catch(() => undefined);
  }

  raw.onWithReplay('messageAdded', (message) => {
    const tell = before ? channelEmitter.remember : emit;
    handle(message, ({ facade, received }) => {
      if (!received.hidden) tell('messageAdded', facade);
    });
  });
  raw.on('messageUpdated', ({ message, updateReasons }) => {
    const looked = opened.get(message)?.looks();
    handle(message, (updated) => {
      const reasons = reasonsOf(updateReasons, looked, updated.looks());
      if (!shown.has(message) || reasons.length === 0) return;
      if (updated.received.hidden) shown.delete(message);
      emitChanged(updated, reasons);
    });
  });
  raw.on('messageRemoved', (message) => {
    handle(message, ({ facade }) => {
      retries.delete(message);
      if (shown.has(message)) emit('messageRemoved', facade);
    });
  });
  before = false;

  return {
    async openPage(page) {
      const messages = await openAll(page, false, (one) => one);
      return messages.filter(({ received }) => !received.hidden).map(({ facade }) => facade);
    },
    tellFirst(emitter) {
      emitters.unshift(emitter);
    },
  };
}

// Body and attributes are both in the envelope: Twilio says that the body changed.
function reasonsOf(told: readonly string[], before: Looks | undefined, after: Looks): string[] {
  const reasons = told.filter((reason) => reason !== 'body' && reason !== 'attributes');
  if (before?.body !== after.body) reasons.push('body');
  if (before?.attributes !== after.attributes) reasons.push('attributes');
  return reasons;
}

// What is known of the members now applies to what was sent now.
const LIVE_MILLISECONDS = 60_000;

/** What the SDK says of a message. */
function deliveredOf(
  message: Message,
  raw: Channel,
  device: Device,
  { justArrived, attempts }: { readonly justArrived: boolean; readonly attempts: number },
): DeliveredMessage {
  const createdAt = dateOf(message.dateCreated);
  return {
    attempts,
    isLive: justArrived && Date.now() - createdAt.getTime() < LIVE_MILLISECONDS,
    channelSid: parseChannelSid(raw.sid),
    messageSid: message.sid,
    index: message.index,
    author: message.author,
    // Of a media message the SDK shows no body at all.
    body: typeof message.body === 'string' ? message.body : '',
    file: keyFile(message),
    createdAt,
    updatedAt: dateOf(message.dateUpdated),
    async joinedAt() {
      const members = await raw.getMembers().catch(() => []);
      return members.find(({ identity }) => identity === device.identity)?.dateCreated ?? null;
    },
    async members() {
      const members = await raw.getMembers().catch(() => null);
      return members && members.map(({ identity }) => parseIdentity(identity));
    },
    async around(index, radius) {
      const { items } = await raw.getMessages(2 * radius + 1, index + radius);
      const near = items.filter((one) => Math.abs(one.index - index) <= radius);
      return near.map((one) => deliveredOf(one, raw, device, { justArrived, attempts: 0 }));
    },
  };
}

// The SDK says null for what Twilio does not tell or tells badly: then an invalid date.
function dateOf(date: Date | null): Date {
  return new Date(Number(date) || NaN);
}

/** The judgement, or that it is pending when it takes too long. */
async function inTime(
  delivered: DeliveredMessage,
  judging: Promise<JudgedMessage>,
): Promise<JudgedMessage> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<JudgedMessage>((resolve) => {
    timer = setTimeout(() => {
      resolve({ delivered, outcome: { status: 'pending', code: 'CARD_PENDING' } });
    }, PATIENCE_MILLISECONDS);
  });
  try {
    return await Promise.race([judging, late]);
  } finally {
    clearTimeout(timer);
  }
}
