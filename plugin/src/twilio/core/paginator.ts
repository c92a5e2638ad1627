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

// Twilio could fill a channel with copies, and the SDK says for ever that there is a page before when
// messages were removed unseen: then the application gets an empty page, and may go on.
const MAX_PASSED_OVER = 10;

/**
 * The page with its messages opened, and the pages around it likewise. A page of which nothing is
 * left, because all its messages were key messages or copies, is passed over; at most ten in a row,
 * and none behind one that the SDK gives a second time.
 */
export async function openPaginator<Message>(
  page: Paginator<Message>,
  open: (messages: readonly Message[]) => Promise<Message[]>,
  direction: PageDirection,
): Promise<Paginator<Message>> {
  let at = page;
  let items = await open(at.items);
  for (let passed = 0; passed < MAX_PASSED_OVER && items.length === 0; passed++) {
    if (!(direction === 'nextPage' ? at.hasNextPage : at.hasPrevPage)) break;
    const [anchor] = at.items;
    at = await at[direction]();
    if (at.items[0] === anchor) break;
    items = await open(at.items);
  }
  return withItems(at, items, (another, towards) => openPaginator(another, open, towards));
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
