import type { Channel, Message } from 'twilio-chat';
import type { JudgedMessage } from '../client/receiver.ts';
import { parseChannelSid } from '../protocol/identifiers.ts';
import { openedMessage, type OpenedMessage } from './message.ts';
import type { MessageFeed, Wrappers } from './registry.ts';
import type { ReplayEmitter } from './replay-emitter.ts';
import { retryQueue } from './retry-queue.ts';
import { serial } from './serial.ts';

// A message whose card takes longer is shown as pending, so that it does not hold up the others.
const PATIENCE_MILLISECONDS = 2000;

/**
 * Opens what the channel's events bring. Messages are judged side by side; they are compared with
 * what is remembered, and shown, one after the other in the order in which the SDK told of them.
 */
export function messageFeed(
  raw: Channel,
  wrap: Wrappers,
  channelEmitter: ReplayEmitter<Channel>,
): MessageFeed {
  const { device } = wrap;
  const inOrder = serial();
  const opened = new WeakMap<Message, OpenedMessage>();
  // Shown to the application: from then on changes are told of, also that it became a copy.
  const shown = new WeakSet<Message>();
  const emitters: ReplayEmitter<unknown>[] = [channelEmitter];

  function emit(name: string, event: unknown): void {
    for (const emitter of emitters) emitter.emit(name, event);
  }

  function open<T>(message: Message, then: (opened: OpenedMessage) => T): Promise<T> {
    const judging = judge(message, raw, wrap);
    return inOrder(async () => {
      const received = await device.accept(await judging);
      const known = opened.get(message) ?? openedMessage(message, received, wrap);
      known.show(received);
      opened.set(message, known);
      if (received.encryption.status === 'pending') retries.add(message);
      else retries.delete(message);
      if (!received.copy) shown.add(message);
      return then(known);
    });
  }

  function emitUpdated(updated: OpenedMessage, updateReasons: readonly string[]): void {
    updated.emitUpdated(updateReasons);
    emit('messageUpdated', { message: updated.facade, updateReasons });
  }

  const retries = retryQueue(device.closed, async (messages) => {
    const again = messages.map((message) =>
      open(message, (retried) => {
        const { status } = retried.received.encryption;
        if (status !== 'pending') emitUpdated(retried, ['body', 'attributes']);
      }),
    );
    await Promise.all(again);
  });

  // Only a closed device fails here, and that has nobody left to tell.
  function handle(message: Message, then: (opened: OpenedMessage) => void): void {
    open(message, then).catch(() => undefined);
  }

  let before = true;
  raw.onWithReplay('messageAdded', (message) => {
    const tell = before ? channelEmitter.remember : emit;
    handle(message, ({ facade, received }) => {
      if (!received.copy) tell('messageAdded', facade);
    });
  });
  raw.on('messageUpdated', ({ message, updateReasons }) => {
    handle(message, (updated) => {
      if (shown.has(message)) emitUpdated(updated, updateReasons);
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
      const messages = await Promise.all(page.map((message) => open(message, (one) => one)));
      return messages.filter(({ received }) => !received.copy).map(({ facade }) => facade);
    },
    tellFirst(emitter) {
      emitters.unshift(emitter);
    },
  };
}

async function judge(message: Message, raw: Channel, { device }: Wrappers): Promise<JudgedMessage> {
  const delivered = {
    channelSid: parseChannelSid(raw.sid),
    messageSid: message.sid,
    index: message.index,
    author: message.author,
    // Of a media message the SDK shows no body at all.
    body: typeof message.body === 'string' ? message.body : '',
    // The SDK says null for what Twilio does not tell or tells badly: then an invalid date.
    createdAt: new Date(Number(message.dateCreated) || NaN),
    async joinedAt() {
      const members = await raw.getMembers().catch(() => []);
      return members.find(({ identity }) => identity === device.identity)?.dateCreated ?? null;
    },
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<JudgedMessage>((resolve) => {
    timer = setTimeout(() => {
      resolve({ delivered, outcome: { status: 'pending', code: 'CARD_PENDING' } });
    }, PATIENCE_MILLISECONDS);
  });
  try {
    return await Promise.race([device.judge(delivered), late]);
  } finally {
    clearTimeout(timer);
  }
}
