import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  openPaginator,
  type MessagePages,
  type PageDirection,
  type Paginator,
} from '../../src/twilio/core/paginator.ts';

/**
 * Pages of a channel whose messages are their indexes, as the SDKs turn them; `hidden` is left out.
 * @param isStingy whether the SDK gives one less than it is asked for, as it does from what it has
 */
function channelOf(
  indexes: readonly number[],
  hidden: ReadonlySet<number>,
  isStingy: boolean,
): MessagePages<{ readonly index: number }> {
  const messages = indexes.map((index) => ({ index }));
  type Page = Paginator<{ readonly index: number }>;
  const given = (size: number): number => (isStingy ? Math.max(size - 1, 1) : size);
  const between = (from: number, to: number, size: number): Page => ({
    items: messages.slice(from, to),
    hasPrevPage: from > 0,
    hasNextPage: to < messages.length,
    prevPage: () => Promise.resolve(between(Math.max(from - given(size), 0), from, size)),
    nextPage: () => Promise.resolve(between(to, Math.min(to + given(size), messages.length), size)),
  });
  return {
    open: (page) => Promise.resolve(page.filter(({ index }) => !hidden.has(index))),
    index: ({ index }) => index,
    page: (size, anchor, direction) => {
      if (direction === 'nextPage') {
        const found = messages.findIndex(({ index }) => index >= anchor);
        const from = found < 0 ? messages.length : found;
        return Promise.resolve(between(from, Math.min(from + given(size), messages.length), size));
      }
      const to = messages.findLastIndex(({ index }) => index <= anchor) + 1;
      return Promise.resolve(between(Math.max(to - given(size), 0), to, size));
    },
  };
}

test.each<PageDirection>(['prevPage', 'nextPage'])(
  'whatever is hidden, going by %s gives each message once, in order, and no page is short but the last',
  async (direction) => {
    const channel = fc.uniqueArray(fc.nat(60), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        channel,
        fc.array(fc.nat(60)),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (all, some, size, isStingy) => {
          const indexes = all.toSorted((a, b) => a - b);
          const hidden = new Set(some);
          const pages = channelOf(indexes, hidden, isStingy);
          const begin = direction === 'nextPage' ? 0 : 60;
          let page = await openPaginator(
            await pages.page(size, begin, direction),
            direction,
            size,
            pages,
          );
          let shown = page.items.map(pages.index);
          const has = direction === 'nextPage' ? 'hasNextPage' : 'hasPrevPage';
          // Ten requests give up: those are in the next test.
          while (page[has]) {
            if (some.length < 5) expect(page.items).toHaveLength(size);
            page = await page[direction]();
            const more = page.items.map(pages.index);
            shown = direction === 'nextPage' ? [...shown, ...more] : [...more, ...shown];
          }
          expect(shown).toEqual(indexes.filter((index) => !hidden.has(index)));
          const back = direction === 'nextPage' ? 'prevPage' : 'nextPage';
          const last = page.items.map(pages.index);
          const around = (await page[back]()).items.map(pages.index);
          const neighbours = direction === 'nextPage' ? [...around, ...last] : [...last, ...around];
          const at = shown.indexOf(neighbours[0] ?? -1);
          if (neighbours.length > 0)
            expect(neighbours).toEqual(shown.slice(at, at + neighbours.length));
        },
      ),
    );
  },
);

/** Pages before one another without end, each with these messages; and how many were turned. */
function endless(items: () => { readonly index: number }[]): {
  readonly last: Paginator<{ readonly index: number }>;
  readonly pages: MessagePages<{ readonly index: number }>;
  readonly turned: () => number;
} {
  let turned = 0;
  const page = (): Paginator<{ readonly index: number }> => ({
    items: items(),
    hasNextPage: false,
    hasPrevPage: true,
    nextPage: () => Promise.reject(new Error('There is no next page.')),
    prevPage: another,
  });
  const another = (): Promise<Paginator<{ readonly index: number }>> => {
    turned += 1;
    return Promise.resolve(page());
  };
  const pages = {
    open: () => Promise.resolve([]),
    index: ({ index }: { readonly index: number }) => index,
    page: another,
  };
  return { last: page(), pages, turned: () => turned };
}

test('hidden messages without end are not turned over without end', async () => {
  let index = 1000;
  const { last, pages, turned } = endless(() => [{ index: index-- }]);
  const page = await openPaginator(last, 'prevPage', 30, pages);
  expect(page).toMatchObject({ items: [], hasPrevPage: true });
  expect(turned()).toBe(10);
});

const [third, fourth] = [{ index: 3 }, { index: 4 }];

// What the SDK gives for ever when messages were removed unseen.
test.each([
  ['page without messages', []],
  ['page of hidden messages', [third, fourth]],
])('a %s that comes again is the last that is turned', async (_what, items) => {
  const { last, pages, turned } = endless(() => items);
  const page = await openPaginator(last, 'prevPage', 30, pages);
  expect(page).toMatchObject({ items: [], hasPrevPage: true });
  expect(turned()).toBe(1);
});

test.each([true, false])(
  'before the first message that is shown there is no page, if all that is there is a key message: %s',
  async (isHidden) => {
    const pages = channelOf([0, 1, 2], new Set(isHidden ? [0] : []), false);
    const page = await openPaginator(await pages.page(2, 2, 'prevPage'), 'prevPage', 2, pages);
    expect(page.items.map(pages.index)).toEqual([1, 2]);
    expect(page.hasPrevPage).toBe(!isHidden);
    if (!isHidden) expect((await page.prevPage()).items.map(pages.index)).toEqual([0]);
  },
);

// The SDK says so of the first message, when it has it already.
test('before the message 0 there is no page, whatever the SDK says', async () => {
  const { last, pages } = endless(() => [{ index: 0 }]);
  const open = (items: readonly { readonly index: number }[]) => Promise.resolve([...items]);
  const page = await openPaginator(last, 'prevPage', 1, { ...pages, open });
  expect(page).toMatchObject({ items: [{ index: 0 }], hasPrevPage: false });
});
