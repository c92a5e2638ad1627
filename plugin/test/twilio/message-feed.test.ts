import { MemoryKeyStore } from 'twilio-chat-encryption';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { checkDeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import type { MessageEncryption } from '../../src/client/message-encryption.ts';
import { channelRule } from '../../src/twilio/core/channel-rule.ts';
import { messageFeed, type MessageFeed } from '../../src/twilio/core/message-feed.ts';
import { channelOutlet } from '../../src/twilio/core/outlet.ts';
import type { ChannelPort } from '../../src/twilio/core/port.ts';
import { ReplayEmitter } from '../../src/twilio/core/replay-emitter.ts';
import type { MessageListeners, Readable } from '../../src/twilio/core/sdk.ts';
import { CHANNEL } from '../protocol/people.ts';
import { LoggedDirectory, PINS } from '../client/logged-directory.ts';

interface Message extends Readable {
  readonly index: number;
}

const never = () => Promise.reject(new Error('not asked for'));
const message = (index: number): Message => ({
  index,
  body: '',
  attributes: {},
  updateBody: never,
  updateAttributes: never,
});

const directory = new LoggedDirectory();

/** A channel whose events the test makes, and what an application hears of it. */
class Channel {
  readonly events: [name: string, index: number][] = [];
  readonly feed: MessageFeed<Message>;
  /** The sizes of the files of every message, by what Twilio says. */
  fileSizes: readonly number[] = [];
  text = '';
  #listeners: MessageListeners<Message> | null = null;
  readonly #emitter = new ReplayEmitter(() => this);

  constructor(device: Device) {
    const port = this.#port();
    this.feed = messageFeed(port, {
      device,
      rule: channelRule(device, 'all'),
      outlet: channelOutlet(port),
      clearAttributes: [],
      checkSender: () => undefined,
      emitter: this.#emitter,
    });
    this.#emitter.on('messageAdded', ({ index }: Message) => this.events.push(['added', index]));
    this.#emitter.on('messageUpdated', (event: { message: Message }) =>
      this.events.push(['updated', event.message.index]),
    );
  }

  get tell(): MessageListeners<Message> {
    if (!this.#listeners) throw new Error('Nobody listens.');
    return this.#listeners;
  }

  #port(): ChannelPort<Message> {
    return {
      sid: CHANNEL,
      isJoined: () => true,
      members: never,
      watchMembers: () => () => undefined,
      page: never,
      limit: () => 32_768,
      upload: never,
      post: never,
      postFile: never,
      listen: (listeners) => {
        this.#listeners = listeners;
      },
      read: ({ index }) => ({
        sid: `IM${index}`,
        index,
        author: 'bob',
        text: this.text,
        place: 'body',
        attributes: {},
        files: this.fileSizes.map((size) => ({ sid: 'ME1', size, getContentTemporaryUrl: never })),
        dateCreated: new Date(),
        dateUpdated: new Date(),
      }),
      facade: (one) => ({ facade: one, emitUpdated: () => undefined }),
    };
  }
}

let device: Device;
/** What the next judgements say; the last one again and again. */
let outcomes: MessageEncryption[];
/** How often it had been tried before, by what each judgement was told. */
let attempts: number[];

beforeEach(async () => {
  outcomes = [];
  attempts = [];
  const opened = await openDevice(
    await checkDeviceOptions({
      identity: 'alice',
      password: 'password',
      server: directory,
      ...PINS,
      keyStore: new MemoryKeyStore(),
    }),
  );
  device = {
    ...opened,
    judge: (delivered) => {
      attempts.push(delivered.attempts);
      const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0];
      if (!outcome) throw new Error('No outcome.');
      return Promise.resolve({ delivered, outcome });
    },
  };
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  device.close();
});

const CARD_PENDING = { status: 'pending', code: 'CARD_PENDING' } as const;
const KEY_PENDING = { status: 'pending', code: 'KEY_PENDING' } as const;
const REJECTED = { status: 'rejected', code: 'PLAINTEXT' } as const;

test('waits for a card use up none of the tries for a key message', async () => {
  outcomes = [...Array.from({ length: 6 }, () => CARD_PENDING), KEY_PENDING];
  new Channel(device).tell.added(message(0));
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(attempts.slice(0, 10)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
});

test('an update of a message that the application never had adds none', async () => {
  outcomes = [REJECTED];
  const channel = new Channel(device);
  channel.tell.updated(message(3), ['body']);
  await vi.advanceTimersByTimeAsync(0);
  expect(channel.events).toEqual([['updated', 3]]);
});

test('a judgement that is under way is of the files that Twilio has when it ends', async () => {
  let judged = (): void => undefined;
  const judging = new Promise<void>((resolve) => {
    judged = resolve;
  });
  const accepted: (readonly number[])[] = [];
  const channel = new Channel({
    ...device,
    async judge(delivered) {
      await judging;
      return { delivered, outcome: REJECTED };
    },
    accept(all) {
      accepted.push(...all.map(({ delivered }) => delivered.fileSizes));
      return device.accept(all);
    },
  });
  channel.text = 'e2e1.';
  channel.fileSizes = [100];
  const one = message(0);
  channel.tell.added(one);
  await vi.advanceTimersByTimeAsync(0);
  channel.fileSizes = [];
  channel.tell.updated(one, ['media']);
  await vi.advanceTimersByTimeAsync(0);
  judged();
  await vi.advanceTimersByTimeAsync(0);
  expect(accepted).toEqual([[100], []]);
});
