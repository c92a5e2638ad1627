import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRoom } from './support/rooms.ts';
import type { Message, Room } from './support/sdk.ts';
import { createWorld, SDKS, settled } from './support/world.ts';
import { connectRaw, type RawClient } from './support/wire.ts';

const COUNT = 132;
const HOLES = new Set([0, 30, 31, 32, 64, 99, 100, 101, 130]);
const LEFT = Array.from({ length: COUNT }, (_, index) => index).filter((i) => !HOLES.has(i));

describe.each(SDKS)('$name: a history of over 130 messages with holes', (sdk) => {
  let ours: Room;
  let raw: RawClient;

  beforeAll(async () => {
    const { device, emulator, token } = await createWorld({}, afterAll);
    raw = await connectRaw(emulator, token('alice'));
    [ours] = await createRoom(emulator, await device(sdk, 'alice'), [await device(sdk, 'bob')]);
    await settled(emulator, 'bob');
    const messages = `/Client/v2/Conversations/${ours.sid}/Messages`;
    for (let i = 0; i < COUNT; i++) await raw.request('POST', messages, { body: `m${i}` });
    for (const { sid, index } of emulator.inspect.messages('u')) {
      if (HOLES.has(index)) await raw.request('DELETE', `${messages}/${sid}`);
    }
  });

  test.each([7, 30, 50, 100])('is read back completely in pages of %i', async (size) => {
    const indexes: number[] = [];
    let pages = 1;
    let page = await ours.raw.getMessages(size);
    for (; ; page = await page.prevPage(), pages++) {
      indexes.unshift(...page.items.map(({ index }) => index));
      if (!page.hasPrevPage) break;
    }
    expect(indexes).toEqual(LEFT);
    expect(pages).toBeGreaterThanOrEqual(Math.ceil(LEFT.length / size));
  });

  test('is read forwards from any message, and back again', async () => {
    let page = await ours.raw.getMessages(40, 0, 'forward');
    const messages: Message[] = [...page.items];
    while (page.hasNextPage) messages.push(...(page = await page.nextPage()).items);
    expect(messages.map(({ index }) => index)).toEqual(LEFT);
    expect(messages.map(({ body }) => body)).toEqual(LEFT.map((index) => `m${index}`));
    const around = await ours.raw.getMessages(10, 66, 'backwards');
    expect(around.items.at(-1)?.index).toBe(66);
    const after = await around.nextPage();
    expect(after.items[0]?.index).toBe(67);
    expect((await after.prevPage()).items.at(-1)?.index).toBe(66);
  });

  test.each([1, 10, 50])('is read by page tokens alone, in pages of %i', async (size) => {
    for (const order of ['asc', 'desc']) {
      const expected = order === 'asc' ? LEFT : LEFT.toReversed();
      const path = `/v3/Lists/${ours.sid}.messages/Items`;
      const there = await readAll(raw, path, { PageSize: String(size), Order: order });
      expect(there.indexes).toEqual(expected);
      const back = await readAll(raw, path, { PageToken: there.lastToken }, 'previous_token');
      expect(new Set(back.indexes)).toEqual(new Set(LEFT));
      expect(back.indexes.length).toBe(LEFT.length);
    }
  });

  test('never gives an index away twice', async () => {
    const last = (await ours.raw.getMessages(1)).items[0];
    await last?.remove();
    expect(await ours.raw.sendMessage('next')).toBe(COUNT);
  });
});

/** Follows page tokens in one direction to the end. */
async function readAll(
  raw: RawClient,
  path: string,
  first: Record<string, string>,
  direction: 'next_token' | 'previous_token' = 'next_token',
): Promise<{ indexes: number[]; lastToken: string }> {
  const indexes: number[] = [];
  let params = first;
  for (;;) {
    const { body } = await raw.request('GET', path, undefined, params);
    const { items, meta } = body as {
      items: { index: number }[];
      meta: Record<'next_token' | 'previous_token', string | null>;
    };
    const page = items.map(({ index }) => index);
    if (direction === 'next_token') indexes.push(...page);
    else indexes.unshift(...page);
    const token = meta[direction];
    if (token === null) return { indexes, lastToken: params['PageToken'] ?? '' };
    params = { PageToken: token };
  }
}
