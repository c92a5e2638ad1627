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

/** The page with its messages opened, and the pages around it likewise. */
export async function openPaginator(
  page: Paginator<Message>,
  open: (messages: readonly Message[]) => Promise<Message[]>,
): Promise<Paginator<Message>> {
  return withItems(page, await open(page.items), (next) => openPaginator(next, open));
}

function withItems<Item>(
  page: Paginator<Item>,
  items: Item[],
  wrap: (page: Paginator<Item>) => Promise<Paginator<Item>>,
): Paginator<Item> {
  return {
    items,
    hasNextPage: page.hasNextPage,
    hasPrevPage: page.hasPrevPage,
    nextPage: async () => wrap(await page.nextPage()),
    prevPage: async () => wrap(await page.prevPage()),
  };
}
