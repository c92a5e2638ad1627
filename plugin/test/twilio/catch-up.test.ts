/** A tab that sees an older version of a message than another tab did, or than it saw itself. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import type { JudgedMessage, ReceivedMessage } from '../../src/client/judged.ts';
import {
  cardIdOf,
  messageIdOf,
  parseChannelSid,
  parseIdentity,
} from '../../src/protocol/identifiers.ts';
import { catchUp } from '../../src/twilio/core/catch-up.ts';

const never = () => Promise.reject(new Error('Nobody asks for this.'));
const CHANNEL = parseChannelSid(`CH${'0'.repeat(32)}`);
const NAME = {
  cardId: cardIdOf(new Uint8Array(32)),
  messageId: messageIdOf(new Uint8Array(16)),
  sequence: 3,
};

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

function delivered(body: string): DeliveredMessage {
  const now = new Date();
  return {
    attempts: 0,
    isLive: true,
    channelSid: CHANNEL,
    messageSid: 'IM1',
    index: 0,
    author: 'bob',
    body,
    file: null,
    fileSizes: [],
    createdAt: now,
    updatedAt: now,
    joinedAt: never,
    members: never,
    watchJoins: () => () => undefined,
    around: never,
  };
}

/** What a message is whose envelope is called by its revision, when `latest` was seen by some tab. */
function receivedOf({ delivered: { body } }: JudgedMessage, latest: number): ReceivedMessage {
  const text = body;
  const revision = Number.parseInt(text, 10);
  return {
    encryption: {
      status: 'verified',
      sender: { identity: parseIdentity('bob'), cardId: NAME.cardId },
      trust: 'pinned',
      sentAt: new Date(),
      revision,
      messageId: NAME.messageId,
      anomalies: latest > revision ? [{ code: 'ROLLED_BACK' }] : [],
    },
    content: { body: text },
    hidden: false,
    editable: { name: NAME, latestRevision: latest, text },
  };
}

/** A tab whose SDK has `text`, and which knows of revision `known`; another tab saw `latest`. */
function tab(sdk: { text: string }, known: number, latest: number) {
  const closing = new AbortController();
  const judge = (): Promise<JudgedMessage[]> =>
    Promise.resolve([
      {
        delivered: delivered(sdk.text),
        outcome: { status: 'clear', code: 'CHANNEL_NOT_ENCRYPTED' },
      },
    ]);
  const { accepted, changed } = catchUp<string>({
    accept: (judged) => Promise.resolve(judged.map((one) => receivedOf(one, latest))),
    textOf: () => sdk.text,
    knownRevision: () => known,
    closed: closing.signal,
  });
  /** What is shown of it, `of` being what the SDK had when it told of it. */
  const shown = async (of = judge(), again = judge): Promise<string | undefined> => {
    const [one] = await accepted(['message'], of, again);
    return one?.encryption.status === 'verified'
      ? [one.content.body, ...one.encryption.anomalies.map(({ code }) => code)].join(' ')
      : undefined;
  };
  return {
    judge,
    shown,
    changed,
    close: () => {
      closing.abort();
    },
  };
}

test('waits for the version that another tab saw, and shows that', async () => {
  const sdk = { text: '1' };
  const { shown, changed } = tab(sdk, -1, 2);
  const showing = shown();
  await vi.advanceTimersByTimeAsync(1000);
  sdk.text = '2';
  changed();
  expect(await showing).toBe('2');
});

test('says that it was put back when that version does not come', async () => {
  const { shown } = tab({ text: '1' }, -1, 2);
  const showing = shown();
  await vi.advanceTimersByTimeAsync(2000);
  expect(await showing).toBe('1 ROLLED_BACK');
});

test('says so at once when it saw the newer version itself', async () => {
  expect(await tab({ text: '1' }, 2, 2).shown()).toBe('1 ROLLED_BACK');
});

test('says nothing of an event that is overtaken: the newer version stands there by then', async () => {
  const sdk = { text: '1' };
  const { judge, shown } = tab(sdk, 2, 2);
  const judging = judge();
  sdk.text = '2';
  expect(await shown(judging)).toBe('2');
});

test('does not follow a message for ever that changes all the time', async () => {
  const sdk = { text: '1' };
  const { judge, shown } = tab(sdk, -1, 2);
  const changing = (): Promise<JudgedMessage[]> => {
    vi.setSystemTime(Date.now() + 100);
    const judging = judge();
    sdk.text = `${sdk.text}.0`;
    return judging;
  };
  expect(await shown(changing(), changing)).toMatch(/^1(\.0)+ ROLLED_BACK$/);
});

test('a closed device waits for nothing', async () => {
  const { shown, close } = tab({ text: '1' }, -1, 2);
  const showing = shown();
  await vi.advanceTimersByTimeAsync(0);
  close();
  expect(await showing).toBe('1 ROLLED_BACK');
});
