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
  return {
    items: page.items.map(map),
    hasNextPage: page.hasNextPage,
    hasPrevPage: page.hasPrevPage,
    nextPage: async () => mapPaginator(await page.nextPage(), map),
    prevPage: async () => mapPaginator(await page.prevPage(), map),
  };
}

/** Which page follows: the newer or the older one. */
export type PageDirection = 'nextPage' | 'prevPage';

/** How a channel's messages are opened, and where more of them come from. */
export interface MessagePages<Message> {
  /** Opens them; what is hidden is left out. */
  readonly open: (messages: readonly Message[]) => Promise<Message[]>;
  readonly index: (message: Message) => number;
  /** The page of the SDK that begins or ends with the message at `anchor`, or with the next after it. */
  readonly page: (
    size: number,
    anchor: number,
    direction: PageDirection,
  ) => Promise<Paginator<Message>>;
}

// Twilio could fill a channel with copies, and the SDK says for ever that there is a page before when
// messages were removed unseen: then the application gets a short page, and may go on.
const MAX_REFILLS = 10;

/**
 * The page with its messages opened, and the pages around it likewise. What is left out, because it is
 * a key message or a copy, is made up for by the messages behind it: an application may take a short page
 * for the last one. At most ten times, and not behind a page that the SDK gives a second time.
 */
export async function openPaginator<Message>(
  page: Paginator<Message>,
  direction: PageDirection,
  pages: MessagePages<Message>,
): Promise<Paginator<Message>> {
  const wanted = Math.max(page.items.length, 1);
  let items = await pages.open(page.items);
  let edge = page;
  for (let refills = 0; refills < MAX_REFILLS && items.length < wanted; refills++) {
    if (!hasMore(edge, direction)) break;
    const [before] = edge.items;
    edge = await following(edge, direction, wanted - items.length, pages);
    if (edge.items[0] === before) break;
    const more = await pages.open(edge.items);
    items = direction === 'nextPage' ? [...items, ...more] : [...more, ...items];
  }
  const isRefilled = edge !== page;
  const turn = async (towards: PageDirection): Promise<Paginator<Message>> => {
    const fromEdge = isRefilled && towards === direction;
    const turned = fromEdge
      ? await following(edge, towards, page.items.length, pages)
      : await page[towards]();
    return openPaginator(turned, towards, pages);
  };
  return {
    items,
    hasNextPage: hasMore(direction === 'nextPage' ? edge : page, 'nextPage'),
    hasPrevPage: hasMore(direction === 'prevPage' ? edge : page, 'prevPage'),
    nextPage: () => turn('nextPage'),
    prevPage: () => turn('prevPage'),
  };
}

function hasMore<Item>(page: Paginator<Item>, direction: PageDirection): boolean {
  return direction === 'nextPage' ? page.hasNextPage : page.hasPrevPage;
}

/** What follows a page, as many as are asked for: the page's own next one has as many as itself. */
function following<Message>(
  page: Paginator<Message>,
  direction: PageDirection,
  size: number,
  pages: MessagePages<Message>,
): Promise<Paginator<Message>> {
  const last = direction === 'nextPage' ? page.items.at(-1) : page.items[0];
  const anchor = last && pages.index(last) + (direction === 'nextPage' ? 1 : -1);
  if (anchor === undefined || anchor < 0 || !hasMore(page, direction)) return page[direction]();
  return pages.page(size, anchor, direction);
}
