import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromPageToken, page, pageSize, pageToken, type PageQuery } from '../src/sync/paging.ts';

const keys = fc
  .uniqueArray(fc.nat(300), { maxLength: 130 })
  .map((list) => list.toSorted((a, b) => a - b).map((key) => ({ key })));
const order = fc.constantFrom('asc' as const, 'desc' as const);
const isNumber = (key: unknown): key is number => typeof key === 'number';

describe('paging', () => {
  test('gives every item once, in order, whatever the page size, and back again', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 100 }), order, (items, size, direction) => {
        const wanted = direction === 'asc' ? items : items.toReversed();
        const there = walk(items, { size, order: direction }, 'next');
        expect(there.seen).toEqual(wanted);
        const back = walk(items, there.last, 'previous');
        expect(back.seen.toSorted((a, b) => a.key - b.key)).toEqual(items);
      }),
    );
  });

  test('starts with the key asked for, or the next one that exists', () => {
    fc.assert(
      fc.property(keys, fc.nat(300), order, (items, from, direction) => {
        const size = 10;
        const wanted =
          direction === 'asc'
            ? items.filter(({ key }) => key >= from)
            : items.filter(({ key }) => key <= from).toReversed();
        const found = page(items, { from, size, order: direction });
        expect(found.items).toEqual(wanted.slice(0, size));
        expect(found.next !== null).toBe(wanted.length > size);
        expect(found.previous !== null).toBe(wanted.length < items.length);
      }),
    );
  });

  test('orders the keys of maps by code unit', () => {
    const items = ['CH1', 'CHa', 'a', 'é', '😀', '\uFFFD'].map((key) => ({ key }));
    const query: PageQuery<string> = { from: 'b', size: 2, order: 'asc' };
    expect(page(items, query).items).toEqual(items.slice(3, 5));
  });

  test('takes back its own tokens and no others', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 100 }), order, (from, size, direction) => {
        const query = { from, size, order: direction };
        expect(fromPageToken(pageToken(query) ?? '', isNumber)).toEqual(query);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (token) => {
        expect(fromPageToken(token, isNumber)).toBeNull();
      }),
    );
    const forText = pageToken({ from: 'a', size: 1, order: 'asc' }) ?? '';
    expect(fromPageToken(forText, isNumber)).toBeNull();
  });

  test.each([
    [undefined, 50],
    ['30', 30],
    ['1000', 100],
    ['-1', 50],
    ['x', 50],
    ['1.5', 50],
  ])('reads a page size of %s as %i', (text, size) => {
    expect(pageSize(text)).toBe(size);
  });
});

function walk(
  items: readonly { key: number }[],
  first: PageQuery<number>,
  direction: 'next' | 'previous',
): { seen: { key: number }[]; last: PageQuery<number> } {
  const seen: { key: number }[] = [];
  let query = first;
  for (;;) {
    const found = page(items, query);
    seen.push(...found.items);
    const further = found[direction];
    if (further === null) return { seen, last: query };
    query = further;
  }
}
