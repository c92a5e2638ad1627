import { expect, test } from 'vitest';
import { openPaginator, type Paginator } from '../../src/twilio/core/paginator.ts';

/** Pages before one another without end, each with these messages; and how many were turned. */
function endless(items: () => number[]): {
  readonly last: Paginator<number>;
  readonly turned: () => number;
} {
  let turned = 0;
  const page = (): Paginator<number> => ({
    items: items(),
    hasNextPage: false,
    hasPrevPage: true,
    nextPage: () => Promise.reject(new Error('There is no next page.')),
    prevPage: () => {
      turned += 1;
      return Promise.resolve(page());
    },
  });
  return { last: page(), turned: () => turned };
}

const hideAll = (): Promise<number[]> => Promise.resolve([]);

test('hidden messages without end are not turned over without end', async () => {
  let index = 1000;
  const { last, turned } = endless(() => [index--]);
  const page = await openPaginator(last, hideAll, 'prevPage');
  expect(page).toMatchObject({ items: [], hasPrevPage: true });
  expect(turned()).toBe(10);
});

// What the SDK gives for ever when messages were removed unseen.
test.each([
  ['page without messages', []],
  ['page of hidden messages', [3, 4]],
])('a %s that comes again is the last that is turned', async (_what, items) => {
  const { last, turned } = endless(() => items);
  const page = await openPaginator(last, hideAll, 'prevPage');
  expect(page).toMatchObject({ items: [], hasPrevPage: true });
  expect(turned()).toBe(1);
});
