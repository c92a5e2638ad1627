/** Devices under test, and what they are shown. */
import type { Channel, Message } from 'twilio-chat';
import { vi } from 'vitest';
import { next, type Person, type World } from '../integration/world.ts';
import { blankMemory, type Delivered, type Memory, type Reading, type Shown } from './checker.ts';

/** What one run of a device is shown of a channel. */
export interface View {
  readonly channel: Channel;
  /** How many messages had been sent anywhere before: the rest is news to this run. */
  readonly since: number;
  /** The indexes of the messages that were added, as they came. */
  readonly added: number[];
  /** What is on the screen. */
  readonly screen: Set<Message>;
}

/** Somebody with a client. Runs follow one another; what the device keeps, stays. */
export interface Reader {
  readonly identity: string;
  readonly memory: Memory;
  readonly views: Map<string, View>;
  /** What was shown live since it was last asked. */
  readonly takeEvents: () => Shown[];
  readonly person: () => Person;
  /** Opens the view of a channel that this person is a member of. */
  look(channelSid: string): Promise<void>;
  restart(): Promise<void>;
  /** Waits until all that was pushed so far has been shown, as far as it is shown. */
  settle(): Promise<void>;
  read(channelSid: string, pageSize: number): Promise<Reading>;
}

/** How long something may take that comes by itself. */
export const WAIT = { timeout: 10_000, interval: 5 };

// Behind the last message: a page without messages, which waits for its turn all the same.
const BEHIND = 1_000_000;

/** A reader with a client that is ready. */
export async function createReader(
  world: World,
  identity: string,
  countSent: () => number,
): Promise<Reader> {
  let person = await world.person(identity);
  const memory = blankMemory(identity);
  const views = new Map<string, View>();
  let events: Shown[] = [];

  function watch(channel: Channel): View {
    const view: View = { channel, since: countSent(), added: [], screen: new Set() };
    const isCurrent = (): boolean => views.get(channel.sid) === view;
    channel.on('messageAdded', (message) => {
      if (!isCurrent()) return;
      view.added.push(message.index);
      view.screen.add(message);
      events.push(snapshot(message, channel.sid));
    });
    channel.on('messageUpdated', ({ message }) => {
      if (isCurrent()) events.push(snapshot(message, channel.sid));
    });
    channel.on('messageRemoved', (message) => {
      view.screen.delete(message);
    });
    return view;
  }

  async function look(channelSid: string): Promise<void> {
    const channel = await person.client.getChannelBySid(channelSid);
    // Reading the members opens the message list: from here on no message is missed.
    await channel.getMembers();
    views.set(channelSid, watch(channel));
  }

  async function settle(): Promise<void> {
    // The answer comes after everything that was pushed before it.
    await person.raw.getUserDescriptor(identity);
    for (const { channel } of views.values()) await channel.getMessages(1, BEHIND, 'forward');
  }

  return {
    identity,
    memory,
    views,
    takeEvents() {
      const taken = events;
      events = [];
      return taken;
    },
    person: () => person,
    look,
    async restart() {
      const channels = [...views.keys()];
      views.clear();
      await world.leave(person);
      person = await world.again(person);
      memory.numbers.clear();
      for (const channelSid of channels) await look(channelSid);
    },
    settle,
    async read(channelSid, pageSize) {
      const view = views.get(channelSid);
      if (!view) throw new Error(`${identity} is not in ${channelSid}.`);
      const raw = await person.raw.getChannelBySid(channelSid);
      for (let attempt = 1; ; attempt++) {
        const overheard = new Map<Message, Delivered>();
        const stop = overhear(raw, (items) => {
          for (const message of items) overheard.set(message, deliveredAs(message));
        });
        const shown = await wholeHistory(view.channel, pageSize).finally(stop);
        const snapshots = (): Shown[] => shown.map((message) => snapshot(message, channelSid));
        const first = snapshots();
        await settle();
        // Reading may bring the SDK changes that were not pushed: what was shown is old then.
        const isOld = [...overheard].some(
          ([message, { author, body }]) => message.author !== author || message.body !== body,
        );
        if (isOld && attempt < 5) continue;
        const delivered = [...overheard.values()].sort((one, other) => one.index - other.index);
        return { channelSid, shown: first, settled: snapshots(), delivered };
      }
    },
  };
}

type Page = Awaited<ReturnType<Channel['getMessages']>>;

/**
 * Tells of each page of the history that is read of a channel of the SDK. To read it once more would
 * not do: the SDK answers now from Twilio, now from what it remembers.
 */
function overhear(raw: Channel, tell: (items: readonly Message[]) => void): () => void {
  const original = raw.getMessages.bind(raw);
  const told = (page: Page): Page => {
    tell(page.items);
    return { ...page, prevPage: async () => told(await page.prevPage()) };
  };
  raw.getMessages = async (...args) => {
    const page = await original(...args);
    // Key messages are looked for around an index; what makes up for a hidden one has a direction.
    return args[1] === undefined || args[2] !== undefined ? told(page) : page;
  };
  return () => {
    raw.getMessages = original;
  };
}

async function wholeHistory(channel: Channel, pageSize: number): Promise<Message[]> {
  let page = await channel.getMessages(pageSize);
  const messages = [...page.items];
  while (page.hasPrevPage) {
    page = await page.prevPage();
    const oldest = messages[0]?.index ?? Infinity;
    const older = page.items.filter(({ index }) => index < oldest);
    // When Twilio removes a message behind the SDK's back, the SDK gives its last page for ever.
    if (older.length === 0) break;
    messages.unshift(...older);
  }
  return messages;
}

function deliveredAs({ sid, index, author, body }: Message): Delivered {
  return { sid, index, author, body };
}

/** What a message looks like now. */
export function snapshot(message: Message, channelSid: string): Shown {
  const attributes: unknown = message.attributes;
  const { sid, index, author, body, encryption } = message;
  return { channelSid, sid, index, author, body, attributes, encryption };
}

/** Waits until this person's client has taken in who the members are. */
export async function seesMembers(
  { views }: Reader,
  channelSid: string,
  members: ReadonlySet<string>,
): Promise<void> {
  await vi.waitFor(async () => {
    const seen = (await views.get(channelSid)?.channel.getMembers()) ?? [];
    const identities = new Set(seen.map(({ identity }) => identity));
    if (identities.size !== members.size) throw new Error('The roster is another one.');
  }, WAIT);
}

/** Cuts this person's connection, and waits until it is there again. */
export async function reconnect(world: World, { identity, person }: Reader): Promise<void> {
  const { raw } = person();
  const connected = next<string>(raw, 'connectionStateChanged', (state) => state === 'connected');
  world.emulator.tamper.disconnect(identity);
  await connected;
}
