import type { Conversation, Media, Message } from '@twilio/conversations';
import { counts, type Counts } from '../core/counts.ts';
import { envelopeLimit } from '../core/envelope-place.ts';
import { facade, refusal, type OwnMembers } from '../core/facade.ts';
import { messageFeed } from '../core/message-feed.ts';
import { messageSender, type MessageSender } from '../core/message-sender.ts';
import { channelOutlet } from '../core/outlet.ts';
import { openPaginator, pageSize } from '../core/paginator.ts';
import type { ChannelPort } from '../core/port.ts';
import type { Beside } from '../core/sdk.ts';
import { ReplayEmitter } from '../core/replay-emitter.ts';
import { ownRoster, type OwnRoster, type Roster } from '../core/roster.ts';
import { uploadApart, withUploaded, type Uploaded } from '../core/uploads.ts';
import { builderFacade } from './builder.ts';
import { messageFacade, readMessage } from './message.ts';
import type { ConversationFeed, Wrappers } from './registry.ts';
import { CONVERSATION_RULES } from './rules.ts';
import { copiedTo } from './unsent-message.ts';

/** The facade of a conversation: encrypts what goes out, opens what comes in, in order. */
export function conversationFacade(raw: Conversation, wrap: Wrappers): ConversationFeed {
  const emitter = new ReplayEmitter<Conversation>(() => self);
  const roster = ownRoster(rosterOf(raw));
  const port = channelPort(raw, wrap, roster);
  const outlet = channelOutlet(port);
  const { device, rule, clearAttributes } = wrap;
  const checkSender = (): void => {
    wrap.checkSender(raw);
  };
  const context = { device, rule, outlet, clearAttributes, checkSender };
  const messages = messageFeed(port, { ...context, emitter });
  const counted = counts(port, messages.hidden);
  // Getters stand here themselves: spread into an object, they would be asked once and for all.
  const own = {
    ...membership(raw, wrap, roster, () => self),
    ...metadata(raw, wrap.clearMetadata, () => self),
    ...horizons(raw, counted),
    get lastMessage() {
      return counted.last(raw.lastMessage);
    },
    ...sending(raw, messageSender(port, context)),
    getMessages: async (...args: Parameters<Conversation['getMessages']>) => {
      const direction = args[2] === 'forward' ? 'nextPage' : 'prevPage';
      return openPaginator(await raw.getMessages(...args), direction, pageSize(args[0]), {
        open: messages.openPage,
        index: ({ index }) => index,
        page: (size, anchor, towards) =>
          raw.getMessages(size, anchor, towards === 'nextPage' ? 'forward' : 'backwards'),
      });
    },
  };
  const self: Conversation = facade(raw, CONVERSATION_RULES, own, wrap.clearMetadata, emitter);
  forwardEvents(raw, wrap, emitter, () => self);
  return { facade: self, messages };
}

function channelPort(
  raw: Conversation,
  wrap: Wrappers,
  roster: Roster,
): ChannelPort<Message, Media> {
  const uploaded = new WeakMap<Beside, Uploaded>();
  return {
    get sid() {
      return raw.sid;
    },
    ...roster,
    page: (size, anchor) => raw.getMessages(size, anchor),
    limit: ({ attributes }) => envelopeLimit('body', attributes),
    async upload(beside, signal) {
      const media = await uploadApart(raw, '_messagesEntity', (one) =>
        build(one, '', beside, signal),
      );
      if (media) uploaded.set(beside, media);
    },
    async post(text, beside) {
      if (beside.uploads.length === 0) return raw.sendMessage(text, { ...beside.attributes });
      const media = uploaded.get(beside);
      const conversation = media ? withUploaded(raw, '_messagesEntity', media) : raw;
      return (await build(conversation, text, beside)) ?? NaN;
    },
    postFile: (file, attributes) => raw.sendMessage(file, { ...attributes }),
    listen({ added, updated, removed }) {
      raw.onWithReplay('messageAdded', added);
      raw.on('messageUpdated', ({ message, updateReasons }) => {
        updated(message, updateReasons);
      });
      raw.on('messageRemoved', removed);
    },
    read: readMessage,
    facade: (message, state) => messageFacade(message, state, wrap),
  };
}

async function build(
  raw: Conversation,
  text: string,
  { attributes, uploads }: Beside,
  signal?: AbortSignal,
): Promise<number | null> {
  const builder = raw
    .prepareMessage()
    .setBody(text)
    .setAttributes({ ...attributes });
  for (const file of uploads) builder.addMedia(file);
  const sending = builder.buildAndSend();
  const cancel = (): void => {
    void sending.cancel();
  };
  signal?.addEventListener('abort', cancel);
  try {
    return await sending;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

type OwnPart<Names extends keyof Conversation> = Pick<Conversation, Names>;

function sending(
  raw: Conversation,
  send: MessageSender,
): OwnPart<'sendMessage' | 'prepareMessage'> {
  return {
    sendMessage(message, attributes, emailOptions) {
      const isText = typeof message === 'string' || message === null;
      const content = isText ? { body: message ?? '', files: [] } : { files: [message] };
      const subject = emailOptions?.subject;
      return send(
        () => ({ ...content, attributes, subject }),
        () => raw.sendMessage(message, attributes, emailOptions),
      );
    },
    prepareMessage: () =>
      builderFacade(raw.prepareMessage(), (unsent, message, signal) => {
        const inClear = async (): Promise<number | null> =>
          copiedTo(raw.prepareMessage().build(), unsent).send();
        return send(message, inClear, signal);
      }),
  };
}

// What Twilio counts includes key messages.
function horizons(
  raw: Conversation,
  { total, unread }: Counts,
): Pick<
  OwnMembers<Conversation, typeof CONVERSATION_RULES>,
  | 'getMessagesCount'
  | 'getUnreadMessagesCount'
  | 'advanceLastReadMessageIndex'
  | 'updateLastReadMessageIndex'
  | 'setAllMessagesRead'
  | 'setAllMessagesUnread'
> {
  // What was read just now is known before the SDK hears of it.
  const left = async <Count extends number | null>(
    count: Promise<Count>,
    read: () => number | null = () => raw.lastReadMessageIndex,
  ) => unread(await count, read());
  return {
    getMessagesCount: async () => total(await raw.getMessagesCount()),
    getUnreadMessagesCount: () => left(raw.getUnreadMessagesCount()),
    advanceLastReadMessageIndex: (index) =>
      left(raw.advanceLastReadMessageIndex(index), () => index),
    updateLastReadMessageIndex: (index) => left(raw.updateLastReadMessageIndex(index), () => index),
    setAllMessagesRead: () => left(raw.setAllMessagesRead()),
    setAllMessagesUnread: () => left(raw.setAllMessagesUnread()),
  };
}

function rosterOf(raw: Conversation): Roster {
  return {
    isJoined: () => raw.status === 'joined',
    members: () => raw.getParticipants(),
    watchMembers(isMember, told) {
      const name = isMember ? 'participantJoined' : 'participantLeft';
      const listener = (participant: { readonly identity: string | null }): void => {
        told(participant.identity);
      };
      raw.on(name, listener);
      return () => {
        raw.off(name, listener);
      };
    },
  };
}

function membership(
  raw: Conversation,
  wrap: Wrappers,
  roster: OwnRoster,
  self: () => Conversation,
): OwnPart<
  | 'add'
  | 'delete'
  | 'join'
  | 'leave'
  | 'getParticipants'
  | 'getParticipantBySid'
  | 'getParticipantByIdentity'
  | 'removeParticipant'
> {
  const then = async (action: Promise<unknown>): Promise<Conversation> => {
    await action;
    return self();
  };
  const found = (participant: Parameters<typeof wrap.participant>[0] | null) =>
    participant && wrap.participant(participant);
  return {
    async add(identity, attributes) {
      if (attributes !== undefined && !wrap.clearMetadata) {
        throw refusal('add with attributes', 'metadata');
      }
      const response = await raw.add(identity, attributes);
      await roster.added(identity);
      return response;
    },
    delete: () => then(raw.delete()),
    join: () => then(raw.join()),
    leave: () => then(raw.leave()),
    getParticipants: async () => (await raw.getParticipants()).map(wrap.participant),
    getParticipantBySid: async (sid) => found(await raw.getParticipantBySid(sid)),
    getParticipantByIdentity: async (identity) =>
      found(await raw.getParticipantByIdentity(identity)),
    async removeParticipant(participant) {
      const name =
        typeof participant === 'string' ? participant : (participant.identity ?? participant.sid);
      const identity = await identityOf(raw, name);
      await roster.removing(identity, () => raw.removeParticipant(name));
    },
  };
}

// Twilio takes a sid too, and the roster is watched for an identity.
async function identityOf(raw: Conversation, name: string): Promise<string> {
  const participants = await raw.getParticipants().catch(() => []);
  return participants.find(({ sid }) => sid === name)?.identity ?? name;
}

function metadata(
  raw: Conversation,
  clearMetadata: boolean,
  self: () => Conversation,
): OwnPart<'updateAttributes' | 'updateFriendlyName' | 'updateUniqueName'> {
  const clear = async (name: string, action: () => Promise<unknown>): Promise<Conversation> => {
    if (!clearMetadata) throw refusal(name, 'metadata');
    await action();
    return self();
  };
  return {
    updateAttributes: (attributes) =>
      clear('updateAttributes', () => raw.updateAttributes(attributes)),
    updateFriendlyName: (name) => clear('updateFriendlyName', () => raw.updateFriendlyName(name)),
    updateUniqueName: (name) => clear('updateUniqueName', () => raw.updateUniqueName(name)),
  };
}

// Message events are the message feed's. Events of before are kept for replay, not told.
function forwardEvents(
  raw: Conversation,
  wrap: Wrappers,
  emitter: ReplayEmitter<Conversation>,
  self: () => Conversation,
): void {
  let before = true;
  const forward = (name: string, event: unknown): void => {
    if (before) emitter.remember(name, event);
    else emitter.emit(name, event);
  };
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
  raw.onWithReplay('participantUpdated', ({ participant, updateReasons }) => {
    forward('participantUpdated', { participant: wrap.participant(participant), updateReasons });
  });
  raw.onWithReplay('updated', ({ updateReasons }) => {
    forward('updated', { conversation: self(), updateReasons });
  });
  raw.onWithReplay('removed', () => {
    forward('removed', self());
  });
  before = false;
}
