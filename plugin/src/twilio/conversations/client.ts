import type { Client, Conversation, Message, PushNotification } from '@twilio/conversations';
import { cancellable } from '../core/cancellable.ts';
import { facade, isFacade, refusal, type OwnMembers } from '../core/facade.ts';
import { mapPaginator } from '../core/paginator.ts';
import { ReplayEmitter } from '../core/replay-emitter.ts';
import { keepTokenFresh } from '../core/token-refresh.ts';
import { checkIdentity } from '../core/wrapping.ts';
import { checkSids, unknownSids } from './known-media.ts';
import { urlsOfFiles } from './message.ts';
import { pushFacade } from './push.ts';
import type { Wrappers } from './registry.ts';
import { CLIENT_RULES } from './rules.ts';

/**
 * The facade of a client: everything that comes out of it is a facade too.
 * @throws EncryptionError `INVALID_ARGUMENT` when the client is somebody else's
 */
export function clientFacade(raw: Client, wrap: Wrappers): Client {
  checkIdentity(raw, wrap.device);
  const emitter = new ReplayEmitter<Client>(() => self);
  const fed = new WeakSet<Conversation>();

  // A conversation's message events reach the client's listeners from its first sight on.
  function conversation(one: Conversation): Conversation {
    const feed = wrap.feed(one);
    if (!fed.has(one)) feed.messages.tellFirst(emitter);
    fed.add(one);
    wrap.cameFrom(one, raw);
    return feed.facade;
  }

  const leaveToken = keepTokenFresh(raw, wrap.device);
  const self: Client = facade(
    raw,
    CLIENT_RULES,
    {
      ...conversations(raw, wrap, conversation),
      ...users(raw, wrap, () => self),
      ...files(raw, wrap),
      async shutdown() {
        leaveToken();
        await raw.shutdown();
      },
      get user() {
        return wrap.user(raw.user);
      },
      parsePushNotification: (payload: unknown): PushNotification =>
        pushFacade(raw.parsePushNotification(payload)),
    },
    wrap.clearMetadata,
    emitter,
  );
  forwardEvents(raw, wrap, emitter, conversation);
  return self;
}

function conversations(
  raw: Client,
  wrap: Wrappers,
  conversation: (raw: Conversation) => Conversation,
): Pick<
  Client,
  | 'getConversationBySid'
  | 'peekConversationBySid'
  | 'getConversationByUniqueName'
  | 'getSubscribedConversations'
  | 'createConversation'
> {
  return {
    getConversationBySid: async (sid) => conversation(await raw.getConversationBySid(sid)),
    peekConversationBySid: async (sid) => conversation(await raw.peekConversationBySid(sid)),
    getConversationByUniqueName: async (name) =>
      conversation(await raw.getConversationByUniqueName(name)),
    getSubscribedConversations: async () =>
      mapPaginator(await raw.getSubscribedConversations(), conversation),
    async createConversation(options = {}) {
      // Read once: the SDK must not find more, or something else, in the object than was checked.
      const { access, friendlyName, uniqueName, attributes } = options;
      const named = [friendlyName, uniqueName, attributes].some((value) => value !== undefined);
      if (named && !wrap.clearMetadata) throw refusal('createConversation with a name', 'metadata');
      return conversation(
        await raw.createConversation({
          ...(access !== undefined && { access }),
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
): Pick<Client, 'getUser' | 'getSubscribedUsers' | 'updateToken'> {
  return {
    getUser: async (identity) => wrap.user(await raw.getUser(identity)),
    getSubscribedUsers: async () => (await raw.getSubscribedUsers()).map(wrap.user),
    async updateToken(token) {
      await raw.updateToken(token);
      return self();
    },
  };
}

// By sid, a file is known once its message was looked at; of others Twilio's own address is given.
function files(
  raw: Client,
  wrap: Wrappers,
): Pick<
  OwnMembers<Client, typeof CLIENT_RULES>,
  'getTemporaryContentUrlsForMedia' | 'getTemporaryContentUrlsForMediaSids'
> {
  return {
    // Of the very files that were given: Twilio could show another one under the same sid.
    getTemporaryContentUrlsForMedia: (contentSet) =>
      cancellable(async () => {
        checkSids(contentSet);
        const ours = contentSet.filter(isFacade);
        const others = contentSet.filter((file) => !isFacade(file));
        const theirs = others.length > 0 ? await raw.getTemporaryContentUrlsForMedia(others) : [];
        return new Map([...theirs, ...(await urlsOfFiles(ours))]);
      }),
    getTemporaryContentUrlsForMediaSids: (sids) =>
      cancellable(async () => {
        const known = sids.flatMap((sid) => wrap.knownMedia(sid) ?? []);
        const others = sids.filter((sid) => !wrap.knownMedia(sid));
        if (wrap.rule.isAll && others.length > 0) throw unknownSids(others);
        const theirs =
          others.length > 0 ? await raw.getTemporaryContentUrlsForMediaSids(others) : [];
        return new Map([...theirs, ...(await urlsOfFiles(known))]);
      }),
  };
}

// Message events are the conversations' (see `conversation` above). Events of before are kept for
// replay, not told.
function forwardEvents(
  raw: Client,
  wrap: Wrappers,
  emitter: ReplayEmitter<Client>,
  conversation: (raw: Conversation) => Conversation,
): void {
  let before = true;
  const forward = (name: string, ...event: readonly unknown[]): void => {
    if (before) emitter.remember(name, ...event);
    else emitter.emit(name, ...event);
  };
  for (const name of [
    'conversationAdded',
    'conversationJoined',
    'conversationLeft',
    'conversationRemoved',
  ] as const) {
    raw.onWithReplay(name, (one) => {
      forward(name, conversation(one));
    });
  }
  raw.onWithReplay('conversationUpdated', (event) => {
    forward('conversationUpdated', { ...event, conversation: conversation(event.conversation) });
  });
  for (const name of [
    'participantJoined',
    'participantLeft',
    'typingStarted',
    'typingEnded',
  ] as const) {
    raw.onWithReplay(name, (participant) => {
      forward(name, wrap.participant(participant));
    });
  }
  raw.onWithReplay('participantUpdated', (event) => {
    forward('participantUpdated', { ...event, participant: wrap.participant(event.participant) });
  });
  raw.onWithReplay('messageAdded', (message) => {
    conversation(message.conversation);
    if (before) void rememberLast(message, wrap, emitter);
  });
  raw.on('messageRemoved', (message) => {
    conversation(message.conversation);
  });
  raw.on('messageUpdated', ({ message }) => {
    conversation(message.conversation);
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
    'initialized',
    'initFailed',
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
    .feed(raw.conversation)
    .messages.openPage([raw])
    .catch(() => []);
  if (message) emitter.remember('messageAdded', message);
}
