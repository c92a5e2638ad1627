import type { Channel, Message } from 'twilio-chat';
import type { ReceivedMessage } from '../client/receiver.ts';
import { parseChannelSid } from '../protocol/identifiers.ts';
import { openedMessage, type OpenedMessage } from './message.ts';
import type { ReplayEmitter } from './replay-emitter.ts';
import { serial } from './serial.ts';
import type { MessageFeed, Wrappers } from './registry.ts';

const RETRY_FIRST_MILLISECONDS = 1000;
const RETRY_LAST_MILLISECONDS = 60_000;
const MAX_PENDING = 256;

/** Opens what the channel's events bring, one after the other, and tells the listeners. */
export function messageFeed(
  raw: Channel,
  wrap: Wrappers,
  channelEmitter: ReplayEmitter<Channel>,
): MessageFeed {
  const { device } = wrap;
  const inOrder = serial();
  const opened = new WeakMap<Message, OpenedMessage>();
  const emitters: ReplayEmitter<unknown>[] = [channelEmitter];

  function emit(name: string, event: unknown): void {
    for (const emitter of emitters) emitter.emit(name, event);
  }

  async function open(message: Message): Promise<OpenedMessage> {
    const received = await receive(message, raw, wrap);
    const known = opened.get(message) ?? openedMessage(message, received, wrap);
    known.show(received);
    opened.set(message, known);
    if (received.encryption.status === 'pending') retries.add(message);
    return known;
  }

  function emitUpdated(message: OpenedMessage, updateReasons: readonly string[]): void {
    message.emitUpdated(updateReasons);
    emit('messageUpdated', { message: message.facade, updateReasons });
  }

  const retries = retryQueue(device.closed, (messages) =>
    inOrder(async () => {
      for (const message of messages) {
        const again = await open(message);
        if (again.received.encryption.status === 'pending') continue;
        emitUpdated(again, ['body', 'attributes']);
      }
    }),
  );

  let before = true;
  function handle(task: (tell: typeof emit) => Promise<void>): void {
    const tell = before
      ? (name: string, event: unknown): void => {
          channelEmitter.remember(name, event);
        }
      : emit;
    void inOrder(async () => {
      if (!device.closed.aborted) await task(tell);
    });
  }

  raw.onWithReplay('messageAdded', (message) => {
    handle(async (tell) => {
      const added = await open(message);
      if (!added.received.copy) tell('messageAdded', added.facade);
    });
  });
  raw.onWithReplay('messageUpdated', ({ message, updateReasons }) => {
    handle(async (tell) => {
      const updated = await open(message);
      updated.emitUpdated(updateReasons);
      tell('messageUpdated', { message: updated.facade, updateReasons });
    });
  });
  raw.onWithReplay('messageRemoved', (message) => {
    handle(async (tell) => {
      const removed = opened.get(message) ?? (await open(message));
      retries.delete(message);
      tell('messageRemoved', removed.facade);
    });
  });
  before = false;

  return {
    openPage: (page) =>
      inOrder(async () => {
        const messages: Message[] = [];
        for (const message of page) {
          const { received, facade } = await open(message);
          if (!received.copy) messages.push(facade);
        }
        return messages;
      }),
    tellFirst(emitter) {
      emitters.unshift(emitter);
    },
  };
}

function receive(message: Message, raw: Channel, { device }: Wrappers): Promise<ReceivedMessage> {
  return device.open({
    channelSid: parseChannelSid(raw.sid),
    messageSid: message.sid,
    index: message.index,
    author: message.author,
    // Of a media message the SDK shows no body at all.
    body: typeof message.body === 'string' ? message.body : '',
    createdAt: message.dateCreated,
    async joinedAt() {
      const members = await raw.getMembers().catch(() => []);
      return members.find(({ identity }) => identity === device.identity)?.dateCreated ?? null;
    },
  });
}

interface RetryQueue {
  add(message: Message): void;
  delete(message: Message): void;
}

// What is pending is tried again, ever more slowly, until it is decided or the device is closed.
function retryQueue(
  closed: AbortSignal,
  retry: (messages: readonly Message[]) => Promise<void>,
): RetryQueue {
  const pending = new Set<Message>();
  let delay = RETRY_FIRST_MILLISECONDS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function schedule(): void {
    timer ??= setTimeout(() => {
      const messages = [...pending];
      pending.clear();
      void retry(messages).finally(() => {
        timer = undefined;
        delay =
          pending.size === 0
            ? RETRY_FIRST_MILLISECONDS
            : Math.min(2 * delay, RETRY_LAST_MILLISECONDS);
        if (pending.size > 0) schedule();
      });
    }, delay);
  }

  closed.addEventListener('abort', () => {
    clearTimeout(timer);
  });
  return {
    add(message) {
      if (pending.size >= MAX_PENDING || closed.aborted) return;
      pending.add(message);
      schedule();
    },
    delete: (message) => void pending.delete(message),
  };
}
