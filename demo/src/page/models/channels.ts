import type { Channel, Client } from 'twilio-chat';
import { createStore, type Readable } from './store.ts';

/** A channel in the list. */
export interface ChannelView {
  readonly sid: string;
  readonly name: string;
  readonly unread: boolean;
  /** Milliseconds since 1970: of the last message, or of the channel if there is none. */
  readonly lastActive: number;
}

/** The channels that this person is a member of. */
export interface ChannelListState {
  readonly loaded: boolean;
  readonly failed: boolean;
  readonly channels: readonly ChannelView[];
}

/** The list of channels, most recently active first. */
export interface ChannelList extends Readable<ChannelListState> {
  /** Makes a private channel; gives its sid. */
  readonly create: (name: string) => Promise<string>;
  readonly reload: () => void;
  readonly find: (sid: string) => Channel | undefined;
}

/** Follows the channels of a client. */
export function channelListOf(client: Client): ChannelList {
  const store = createStore<ChannelListState>({ loaded: false, failed: false, channels: [] });
  const joined = new Map<string, Channel>();

  function show(): void {
    const channels = [...joined.values()].map(viewOf);
    channels.sort((a, b) => b.lastActive - a.lastActive || a.name.localeCompare(b.name));
    store.patch({ channels });
  }

  function keep(channel: Channel): void {
    if (channel.status === 'joined') joined.set(channel.sid, channel);
    show();
  }

  function drop(channel: Channel): void {
    joined.delete(channel.sid);
    show();
  }

  async function load(): Promise<void> {
    store.patch({ failed: false });
    try {
      let page = await client.getSubscribedChannels();
      for (;;) {
        page.items.forEach(keep);
        if (!page.hasNextPage) break;
        page = await page.nextPage();
      }
      store.patch({ loaded: true });
    } catch {
      store.patch({ failed: true });
    }
  }

  client.on('channelJoined', keep);
  client.on('channelLeft', drop);
  client.on('channelRemoved', drop);
  client.on('channelUpdated', show);
  void load();

  return {
    get: store.get,
    subscribe: store.subscribe,
    find: (sid) => joined.get(sid),
    reload: () => void load(),
    async create(name) {
      const channel = await client.createChannel({ friendlyName: name, isPrivate: true });
      keep(await channel.join());
      return channel.sid;
    },
  };
}

function viewOf(channel: Channel): ChannelView {
  const { sid, lastConsumedMessageIndex } = channel;
  const last = lastOf(channel);
  return {
    sid,
    name: nameOf(channel),
    // Indexes may have gaps, so this is a hint and not a count.
    unread: (last?.index ?? -1) > (lastConsumedMessageIndex ?? -1),
    lastActive: (last?.dateCreated ?? dateOf(channel.dateCreated)).getTime(),
  };
}

// Twilio's types say that there always is a name and a last message; there may be neither.
function nameOf({ friendlyName, uniqueName, sid }: Channel): string {
  return friendlyName || uniqueName || sid;
}

function lastOf(channel: { lastMessage?: Channel['lastMessage'] }): Channel['lastMessage'] | null {
  return channel.lastMessage ?? null;
}

function dateOf(value: unknown): Date {
  return value instanceof Date ? value : new Date(0);
}
