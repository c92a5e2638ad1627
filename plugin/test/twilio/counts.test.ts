/** What Twilio counts, without the key messages that nobody sees. */
import { expect, test } from 'vitest';
import { counts } from '../../src/twilio/core/counts.ts';
import type { Paginator } from '../../src/twilio/core/paginator.ts';
import type { ChannelPort } from '../../src/twilio/core/port.ts';
import type { Readable } from '../../src/twilio/core/sdk.ts';
import { CHANNEL } from '../protocol/people.ts';

interface Message extends Readable {
  readonly index: number;
}

const never = () => Promise.reject(new Error('not asked for'));

/** A channel of so many messages, of which every second one is hidden. */
function channel(count: number, hasMoreForEver = false) {
  let asked = 0;
  const messages = Array.from({ length: count }, (_, index): Message => ({
    index,
    body: '',
    attributes: {},
    updateBody: never,
    updateAttributes: never,
  }));

  function pageUpTo(end: number, size: number): Paginator<Message> {
    asked += 1;
    const start = Math.max(0, end - size);
    return {
      items: messages.slice(start, end),
      hasNextPage: false,
      hasPrevPage: hasMoreForEver || start > 0,
      nextPage: never,
      prevPage: () => Promise.resolve(pageUpTo(start > 0 ? start : end, size)),
    };
  }

  const port: ChannelPort<Message> = {
    sid: CHANNEL,
    isJoined: () => true,
    members: never,
    watchMembers: () => () => undefined,
    page: (size) => Promise.resolve(pageUpTo(count, size)),
    limit: () => 0,
    upload: never,
    post: never,
    postFile: never,
    listen: () => undefined,
    read: ({ index }) => ({
      ...{ sid: `IM${index}`, index, author: 'bob', text: '', place: 'body', attributes: {} },
      ...{ files: [], dateCreated: null, dateUpdated: null },
    }),
    facade: () => {
      throw new Error('not asked for');
    },
  };
  const indexes = new Set(messages.flatMap(({ index }) => (index % 2 === 0 ? [] : [index])));
  return { ...counts(port, { indexes, lastShown: null }), asked: () => asked };
}

test.each([10, 100, 101, 250, 1000])(
  'of %i unread messages, those that are shown are counted',
  async (count) => {
    expect(await channel(count).unread(count, null)).toBe(count / 2 + (count % 2) / 2);
  },
);

test('only what is behind the last that was read counts, and no page before it is asked for', async () => {
  const { unread, asked } = channel(500);
  expect(await unread(150, 349)).toBe(75);
  expect(asked()).toBe(2);
});

// It resolves `setAllMessagesRead` and the like before it does.
test('what the SDK did not hear of as read is not taken for unread', async () => {
  expect(await channel(10).unread(3, null)).toBe(1);
  expect(await channel(500).unread(150, null)).toBe(75);
});

test('of more than a thousand, at most too many are told, and ten pages are asked for', async () => {
  const { unread, asked } = channel(3000);
  expect(await unread(3000, null)).toBe(2500);
  expect(asked()).toBe(10);
});

test('an SDK that says for ever that there is a page before is not asked for ever', async () => {
  const { unread, asked } = channel(50, true);
  expect(await unread(60, null)).toBe(35);
  expect(asked()).toBe(2);
});

test('nothing is asked for when nothing is unread, or Twilio does not know', async () => {
  const { unread, asked } = channel(10);
  expect([await unread(0, 9), await unread(null, null)]).toEqual([0, null]);
  expect(asked()).toBe(0);
});
