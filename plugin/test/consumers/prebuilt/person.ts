/** What a person does, told from outside with plain data: in a page with a prebuilt SDK, and in Node. */
import {
  filesOf,
  textOf,
  type AnyMessage,
  type Device,
  type Room,
} from '../../integration/rooms.ts';

/** A message as a person sees it. */
export interface Seen {
  readonly index: number;
  readonly author: string | null;
  readonly body: string | null;
  readonly attributes: unknown;
  readonly status: string;
  readonly anomalies: number;
}

export interface Person {
  /** Makes a room, and gives its sid. */
  create(): Promise<string>;
  add(sid: string, identity: string): Promise<void>;
  /** From then on the person is told of messages. */
  open(sid: string): Promise<void>;
  memberCount(sid: string): Promise<number>;
  /** Sends a text; gives its index. */
  send(sid: string, body: string, attributes: Record<string, string>): Promise<number | null>;
  sendFile(sid: string, content: string): Promise<number | null>;
  edit(sid: string, index: number, body: string): Promise<void>;
  /** What the person was told of, as it is now. */
  told(sid: string): Promise<readonly Seen[]>;
  /** The first file of a message, through the address that an application would show. */
  file(sid: string, index: number): Promise<string>;
  /** The history, page by page from its end. */
  backwards(sid: string, size: number): Promise<readonly (readonly Seen[])[]>;
  /** The history, page by page from its beginning. */
  forwards(sid: string, size: number): Promise<readonly (readonly Seen[])[]>;
}

interface OpenRoom {
  readonly room: Room;
  readonly told: AnyMessage[];
}

export function personOn(device: Device): Person {
  const rooms = new Map<string, OpenRoom>();

  async function open(room: Room): Promise<void> {
    const told: AnyMessage[] = [];
    const { raw }: { raw: { on(name: string, listener: (message: AnyMessage) => void): unknown } } =
      room;
    raw.on('messageAdded', (message) => told.push(message));
    // Reading the members opens the message list.
    await room.members();
    rooms.set(room.raw.sid, { room, told });
  }

  function of(sid: string): OpenRoom {
    const found = rooms.get(sid);
    if (!found) throw new Error('The room is not open.');
    return found;
  }

  function toldOf(sid: string, index: number): AnyMessage {
    const found = of(sid).told.find((message) => message.index === index);
    if (!found) throw new Error('There is no such message.');
    return found;
  }

  return {
    async create() {
      const room = await device.createRoom();
      await open(room);
      return room.raw.sid;
    },
    async add(sid, identity) {
      await of(sid).room.add(identity);
    },
    open: async (sid) => open(await device.room(sid)),
    memberCount: async (sid) => (await of(sid).room.members()).length,
    send: (sid, body, attributes) => of(sid).room.raw.sendMessage(body, attributes),
    sendFile: (sid, content) =>
      of(sid).room.raw.sendMessage({ contentType: 'text/plain', media: content }),
    async edit(sid, index, body) {
      await toldOf(sid, index).updateBody(body);
    },
    told: (sid) => Promise.resolve(of(sid).told.map(seen)),
    file: (sid, index) => textOf(filesOf(toldOf(sid, index))[0]),
    async backwards(sid, size) {
      let page: Page = await of(sid).room.raw.getMessages(size);
      const pages = [page.items.map(seen)];
      while (page.hasPrevPage) {
        page = await page.prevPage();
        pages.push(page.items.map(seen));
      }
      return pages;
    },
    async forwards(sid, size) {
      let page: Page = await of(sid).room.raw.getMessages(size, 0, 'forward');
      const pages = [page.items.map(seen)];
      while (page.hasNextPage) {
        page = await page.nextPage();
        pages.push(page.items.map(seen));
      }
      return pages;
    },
  };
}

interface Page {
  readonly items: AnyMessage[];
  readonly hasNextPage: boolean;
  readonly hasPrevPage: boolean;
  nextPage(): Promise<Page>;
  prevPage(): Promise<Page>;
}

function seen({ index, author, body, attributes, encryption }: AnyMessage): Seen {
  const anomalies = encryption.status === 'verified' ? encryption.anomalies.length : 0;
  const status = encryption.status === 'verified' ? 'verified' : encryption.code;
  return { index, author, body, attributes, status, anomalies };
}
