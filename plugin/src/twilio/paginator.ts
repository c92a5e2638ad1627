import type { Message } from 'twilio-chat';

/** A page of the SDKs. */
export interface Paginator<Item> {
  items: Item[];
  hasNextPage: boolean;
  hasPrevPage: boolean;
  nextPage(): Promise<Paginator<Item>>;
  prevPage(): Promise<Paginator<Item>>;
}

/** The page with every item replaced, and the pages around it likewise. */
export function mapPaginator<Item>(
  page: Paginator<Item>,
  map: (item: Item) => Item,
): Paginator<Item> {
  return withItems(page, page.items.map(map), (next) => Promise.resolve(mapPaginator(next, map)));
}

/** Which page follows one that has nothing to show. */
export type PageDirection = 'nextPage' | 'prevPage';

/**
 * The page with its messages opened, and the pages around it likewise. A page of which nothing is
 * left, because all its messages were copies, is passed over.
 */
export async function openPaginator(
  page: Paginator<Message>,
  open: (messages: readonly Message[]) => Promise<Message[]>,
  direction: PageDirection,
): Promise<Paginator<Message>> {
  const items = await open(page.items);
  const more = direction === 'nextPage' ? page.hasNextPage : page.hasPrevPage;
  if (items.length === 0 && more) return openPaginator(await page[direction](), open, direction);
  return withItems(page, items, (another, towards) => openPaginator(another, open, towards));
}

function withItems<Item>(
  page: Paginator<Item>,
  items: Item[],
  wrap: (page: Paginator<Item>, direction: PageDirection) => Promise<Paginator<Item>>,
): Paginator<Item> {
  return {
    items,
    hasNextPage: page.hasNextPage,
    hasPrevPage: page.hasPrevPage,
    nextPage: async () => wrap(await page.nextPage(), 'nextPage'),
    prevPage: async () => wrap(await page.prevPage(), 'prevPage'),
  };
}
