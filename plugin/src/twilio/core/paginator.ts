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

// As the SDKs, and Twilio.
const DEFAULT_SIZE = 30;
const MAX_SIZE = 100;

/** How many messages a page has that an application asks for. */
export function pageSize(asked: number | undefined): number {
  return Math.min(asked ?? DEFAULT_SIZE, MAX_SIZE);
}

/**
 * The page with its messages opened, and the pages around it likewise. What is left out, because it is
 * a key message or a copy, or because the SDK gave fewer than it could, is made up for by the messages
 * behind it: an application may take a short page for the last one. At most ten times, and not behind a
 * page that the SDK gives a second time.
 * @param size of each page, if there are as many
 */
export async function openPaginator<Message>(
  page: Paginator<Message>,
  direction: PageDirection,
  size: number,
  pages: MessagePages<Message>,
): Promise<Paginator<Message>> {
  let items = await pages.open(page.items);
  let edge = page;
  for (let refills = 0; refills < MAX_REFILLS && items.length < size; refills++) {
    if (!hasMore(edge, direction, pages)) break;
    const [before] = edge.items;
    edge = await following(edge, direction, size - items.length, pages);
    if (edge.items[0] === before) break;
    const more = await pages.open(edge.items);
    items = direction === 'nextPage' ? [...items, ...more] : [...more, ...items];
  }
  if (direction === 'prevPage' && isBeforeLast(edge, pages)) {
    const first = await following(edge, direction, 1, pages);
    if ((await pages.open(first.items)).length === 0) edge = first;
  }
  const isRefilled = edge !== page;
  const turn = async (towards: PageDirection): Promise<Paginator<Message>> => {
    const fromEdge = isRefilled && towards === direction;
    const turned = fromEdge ? await following(edge, towards, size, pages) : await page[towards]();
    return openPaginator(turned, towards, size, pages);
  };
  return {
    items,
    hasNextPage: hasMore(direction === 'nextPage' ? edge : page, 'nextPage', pages),
    hasPrevPage: hasMore(direction === 'prevPage' ? edge : page, 'prevPage', pages),
    nextPage: () => turn('nextPage'),
    prevPage: () => turn('prevPage'),
  };
}

// A channel of many members begins with a key message: before the first message that is shown, an
// application would be told of a page, and get none.
function isBeforeLast<Message>(page: Paginator<Message>, pages: MessagePages<Message>): boolean {
  const [first] = page.items;
  return first !== undefined && pages.index(first) === 1 && page.hasPrevPage;
}

// Of what the SDK has already, it says that there is a page before the very first message.
function hasMore<Message>(
  { items: [first], hasNextPage, hasPrevPage }: Paginator<Message>,
  direction: PageDirection,
  { index }: MessagePages<Message>,
): boolean {
  if (direction === 'nextPage') return hasNextPage;
  return hasPrevPage && !(first && index(first) === 0);
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
  if (anchor === undefined || anchor < 0 || !hasMore(page, direction, pages))
    return page[direction]();
  return pages.page(size, anchor, direction);
}
