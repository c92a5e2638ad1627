import type { Channel, Client, Message } from 'twilio-chat';
import { facade, refusal } from '../core/facade.ts';
import { mapPaginator } from '../core/paginator.ts';
import { ReplayEmitter } from '../core/replay-emitter.ts';
import { keepTokenFresh } from '../core/token-refresh.ts';
import { checkIdentity } from '../core/wrapping.ts';
import { pushFacade } from './push.ts';
import { CLIENT_RULES } from './rules.ts';
import type { Wrappers } from './registry.ts';

/**
 * The facade of a client: everything that comes out of it is a facade too.
 * @throws EncryptionError `INVALID_ARGUMENT` when the client is somebody else's
 */
export function clientFacade(raw: Client, wrap: Wrappers): Client {
  checkIdentity(raw, wrap.device);
  const emitter = new ReplayEmitter<Client>(() => self);
  const fed = new WeakSet<Channel>();

  // A channel's message events reach the client's listeners from its first sight on.
  function channel(rawChannel: Channel): Channel {
    const feed = wrap.feed(rawChannel);
    if (!fed.has(rawChannel)) feed.messages.tellFirst(emitter);
    fed.add(rawChannel);
    wrap.cameFrom(rawChannel, raw);
    return feed.facade;
  }

  const leaveToken = keepTokenFresh(raw, wrap.device);
  const self: Client = facade(
    raw,
    CLIENT_RULES,
    {
      ...channels(raw, wrap, channel),
      ...users(raw, wrap, () => self),
      async shutdown() {
        leaveToken();
        await raw.shutdown();
      },
      get user() {
        return wrap.user(raw.user);
      },
      parsePushNotification: (payload: unknown) => pushFacade(raw.parsePushNotification(payload)),
    },
    wrap.clearMetadata,
    emitter,
  );
  forwardEvents(raw, wrap, emitter, channel);
  return self;
}

function channels(
  raw: Client,
  wrap: Wrappers,
  channel: (raw: Channel) => Channel,
): Pick<
  Client,
  | 'getChannelBySid'
  | 'getChannelByUniqueName'
  | 'getSubscribedChannels'
  | 'getLocalChannels'
  | 'getPublicChannelDescriptors'
  | 'getUserChannelDescriptors'
  | 'createChannel'
> {
  return {
    getChannelBySid: async (sid) => channel(await raw.getChannelBySid(sid)),
    getChannelByUniqueName: async (name) => channel(await raw.getChannelByUniqueName(name)),
    getSubscribedChannels: async (args: unknown) =>
      mapPaginator(await raw.getSubscribedChannels(args), channel),
    getLocalChannels: async (options) => (await raw.getLocalChannels(options)).map(channel),
    getPublicChannelDescriptors: async () =>
      mapPaginator(await raw.getPublicChannelDescriptors(), wrap.channelDescriptor),
    getUserChannelDescriptors: async () =>
      mapPaginator(await raw.getUserChannelDescriptors(), wrap.channelDescriptor),
    async createChannel(options = {}) {
      // Read once: the SDK must not find more, or something else, in the object than was checked.
      const { isPrivate, friendlyName, uniqueName } = options;
      const attributes: unknown = options.attributes;
      const named = [friendlyName, uniqueName, attributes].some((value) => value !== undefined);
      if (named && !wrap.clearMetadata) throw refusal('createChannel with a name', 'metadata');
      return channel(
        await raw.createChannel({
          ...(isPrivate !== undefined && { isPrivate }),
          ...(friendlyName !== undefined && { friendlyName }),
          ...(uniqueName !== undefined && { uniqueName }),
          ...(attributes !== undefined && { attributes }),
        }),
      );
    },
  };
}

function users(
  raw: Client,
  wrap: Wrappers,
  self: () => Client,
): Pick<Client, 'getUser' | 'getUserDescriptor' | 'getSubscribedUsers' | 'updateToken'> {
  return {
    getUser: async (identity) => wrap.user(await raw.getUser(identity)),
    getUserDescriptor: async (identity) =>
      wrap.userDescriptor(await raw.getUserDescriptor(identity)),
    getSubscribedUsers: async () => (await raw.getSubscribedUsers()).map(wrap.user),
    async updateToken(token) {
      await raw.updateToken(token);
      return self();
    },
  };
}

// Message events are the channels' (see `channel` above). Events of before are kept for replay, not told.
function forwardEvents(
  raw: Client,
  wrap: Wrappers,
  emitter: ReplayEmitter<Client>,
  channel: (raw: Channel) => Channel,
): void {
  let before = true;
  const forward = (name: string, ...event: readonly unknown[]): void => {
    if (before) emitter.remember(name, ...event);
    else emitter.emit(name, ...event);
  };
  for (const name of [
    'channelAdded',
    'channelInvited',
    'channelJoined',
    'channelLeft',
    'channelRemoved',
  ] as const) {
    raw.onWithReplay(name, (one) => {
      forward(name, channel(one));
    });
  }
  raw.onWithReplay('channelUpdated', (event) => {
    forward('channelUpdated', { ...event, channel: channel(event.channel) });
  });
  for (const name of ['memberJoined', 'memberLeft', 'typingStarted', 'typingEnded'] as const) {
    raw.onWithReplay(name, (member) => {
      forward(name, wrap.member(member));
    });
  }
  raw.onWithReplay('memberUpdated', (event) => {
    forward('memberUpdated', { ...event, member: wrap.member(event.member) });
  });
  raw.onWithReplay('messageAdded', (message) => {
    channel(message.channel);
    if (before) void rememberLast(message, wrap, emitter);
  });
  raw.on('messageRemoved', (message) => {
    channel(message.channel);
  });
  raw.on('messageUpdated', ({ message }) => {
    channel(message.channel);
  });
  for (const name of ['userSubscribed', 'userUnsubscribed'] as const) {
    raw.onWithReplay(name, (user) => {
      forward(name, wrap.user(user));
    });
  }
  raw.onWithReplay('userUpdated', (event) => {
    forward('userUpdated', { ...event, user: wrap.user(event.user) });
  });
  raw.onWithReplay('pushNotification', (push) => {
    forward('pushNotification', pushFacade(push));
  });
  for (const name of [
    'tokenAboutToExpire',
    'tokenExpired',
    'stateChanged',
    'connectionStateChanged',
    'connectionError',
  ] as const) {
    raw.onWithReplay(name, (...event: readonly unknown[]) => {
      forward(name, ...event);
    });
  }
  before = false;
}

async function rememberLast(
  raw: Message,
  wrap: Wrappers,
  emitter: ReplayEmitter<Client>,
): Promise<void> {
  // Rejects only when the device is closed meanwhile.
  const [message] = await wrap
    .feed(raw.channel)
    .messages.openPage([raw])
    .catch(() => []);
  if (message) emitter.remember('messageAdded', message);
}
