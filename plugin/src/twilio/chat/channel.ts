import type { Channel, Media, Message } from 'twilio-chat';
import { counts, type Counts } from '../core/counts.ts';
import { ENVELOPE_ATTRIBUTE, envelopeLimit } from '../core/envelope-place.ts';
import { facade, refusal, type OwnMembers } from '../core/facade.ts';
import { messageFeed } from '../core/message-feed.ts';
import { messageSender, type MessageSender } from '../core/message-sender.ts';
import { channelOutlet } from '../core/outlet.ts';
import { mapPaginator, openPaginator, pageSize } from '../core/paginator.ts';
import type { ChannelPort } from '../core/port.ts';
import type { Beside } from '../core/sdk.ts';
import { uploadApart, withUploaded, type Uploaded } from '../core/uploads.ts';
import { ReplayEmitter } from '../core/replay-emitter.ts';
import { ownRoster, type OwnRoster, type Roster } from '../core/roster.ts';
import { messageFacade } from './message.ts';
import { readMessage } from './read-message.ts';
import type { ChannelFeed, Wrappers } from './registry.ts';
import { CHANNEL_RULES } from './rules.ts';

/** The facade of a channel: encrypts what goes out, opens what comes in, in order. */
export function channelFacade(raw: Channel, wrap: Wrappers): ChannelFeed {
  const emitter = new ReplayEmitter<Channel>(() => self);
  const roster = ownRoster(rosterOf(raw));
  const port = channelPort(raw, wrap, roster);
  const outlet = channelOutlet(port);
  const { device, rule } = wrap;
  const checkSender = (): void => {
    wrap.checkSender(raw);
  };
  const context = { device, rule, outlet, clearAttributes: wrap.clearAttributes, checkSender };
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
    sendMessage: encryptedSend(raw, messageSender(port, context)),
    getMessages: async (...args: Parameters<Channel['getMessages']>) => {
      const direction = args[2] === 'forward' ? 'nextPage' : 'prevPage';
      return openPaginator(await raw.getMessages(...args), direction, pageSize(args[0]), {
        open: messages.openPage,
        index: ({ index }) => index,
        page: (size, anchor, towards) =>
          raw.getMessages(size, anchor, towards === 'nextPage' ? 'forward' : 'backwards'),
      });
    },
  };
  const self: Channel = facade(raw, CHANNEL_RULES, own, wrap.clearMetadata, emitter);
  forwardEvents(raw, wrap, emitter, () => self);
  return { facade: self, messages };
}

function channelPort(raw: Channel, wrap: Wrappers, roster: Roster): ChannelPort<Message, Media> {
  const uploaded = new WeakMap<Beside, Uploaded>();
  return {
    get sid() {
      return raw.sid;
    },
    ...roster,
    page: (size, anchor) => raw.getMessages(size, anchor),
    // This SDK sends no text beside a file: the envelope stands among the attributes then.
    limit: ({ uploads, attributes }) =>
      envelopeLimit(uploads.length > 0 ? 'attributes' : 'body', attributes),
    async upload(beside) {
      const [file = null] = beside.uploads;
      const media = await uploadApart(raw, 'messagesEntity', (one) => one.sendMessage(file, {}));
      if (media) uploaded.set(beside, media);
    },
    post(text, beside) {
      const {
        uploads: [file],
        attributes,
      } = beside;
      if (!file) return raw.sendMessage(text, attributes);
      const media = uploaded.get(beside);
      const channel = media ? withUploaded(raw, 'messagesEntity', media) : raw;
      return channel.sendMessage(file, { ...attributes, [ENVELOPE_ATTRIBUTE]: text });
    },
    postFile: (file, attributes) => raw.sendMessage(file, attributes),
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

function rosterOf(raw: Channel): Roster {
  return {
    isJoined: () => raw.status === 'joined',
    members: () => raw.getMembers(),
    watchMembers(isMember, told) {
      const name = isMember ? 'memberJoined' : 'memberLeft';
      const listener = (member: { readonly identity: string }): void => {
        told(member.identity);
      };
      raw.on(name, listener);
      return () => {
        raw.off(name, listener);
      };
    },
  };
}

function encryptedSend(raw: Channel, send: MessageSender): Channel['sendMessage'] {
  return (message, attributes: unknown) => {
    const isText = typeof message === 'string' || message === null;
    const content = isText ? { body: message ?? '', files: [] } : { files: [message] };
    return send(
      () => ({ ...content, attributes }),
      () => raw.sendMessage(message, attributes),
    );
  };
}

type OwnPart<Names extends keyof Channel> = Pick<Channel, Names>;

// What Twilio counts includes key messages.
function horizons(
  raw: Channel,
  { total, unread }: Counts,
): Pick<
  OwnMembers<Channel, typeof CHANNEL_RULES>,
  | 'getMessagesCount'
  | 'getUnconsumedMessagesCount'
  | 'advanceLastConsumedMessageIndex'
  | 'updateLastConsumedMessageIndex'
  | 'setAllMessagesConsumed'
  | 'setNoMessagesConsumed'
> {
  // What was read just now is known before the SDK hears of it.
  const left = async <Count extends number | null>(
    count: Promise<Count>,
    read: () => number | null = () => raw.lastConsumedMessageIndex,
  ) => unread(await count, read());
  return {
    getMessagesCount: async () => total(await raw.getMessagesCount()),
    getUnconsumedMessagesCount: () => left(raw.getUnconsumedMessagesCount()),
    advanceLastConsumedMessageIndex: (index) =>
      left(raw.advanceLastConsumedMessageIndex(index), () => index),
    updateLastConsumedMessageIndex: (index) =>
      left(raw.updateLastConsumedMessageIndex(index), () => index),
    setAllMessagesConsumed: () => left(raw.setAllMessagesConsumed()),
    setNoMessagesConsumed: () => left(raw.setNoMessagesConsumed()),
  };
}

function membership(
  raw: Channel,
  wrap: Wrappers,
  roster: OwnRoster,
  self: () => Channel,
): OwnPart<
  | 'add'
  | 'decline'
  | 'delete'
  | 'join'
  | 'leave'
  | 'getMembers'
  | 'getMemberBySid'
  | 'getMemberByIdentity'
  | 'removeMember'
  | 'getUserDescriptors'
> {
  const then = async (action: Promise<unknown>): Promise<Channel> => {
    await action;
    return self();
  };
  return {
    async add(identity) {
      await raw.add(identity);
      await roster.added(identity);
    },
    decline: () => then(raw.decline()),
    delete: () => then(raw.delete()),
    join: () => then(raw.join()),
    leave: () => then(raw.leave()),
    getMembers: async () => (await raw.getMembers()).map(wrap.member),
    getMemberBySid: async (sid) => wrap.member(await raw.getMemberBySid(sid)),
    getMemberByIdentity: async (identity) => wrap.member(await raw.getMemberByIdentity(identity)),
    async removeMember(member) {
      const identity = typeof member === 'string' ? await identityOf(raw, member) : member.identity;
      await roster.removing(identity, () => raw.removeMember(identity));
    },
    getUserDescriptors: async () =>
      mapPaginator(await raw.getUserDescriptors(), wrap.userDescriptor),
  };
}

// Twilio takes a sid too, and the roster is watched for an identity.
async function identityOf(raw: Channel, name: string): Promise<string> {
  const members = await raw.getMembers().catch(() => []);
  return members.find(({ sid }) => sid === name)?.identity ?? name;
}

function metadata(
  raw: Channel,
  clearMetadata: boolean,
  self: () => Channel,
): OwnPart<'updateAttributes' | 'updateFriendlyName' | 'updateUniqueName'> {
  const clear = async (name: string, action: () => Promise<unknown>): Promise<Channel> => {
    if (!clearMetadata) throw refusal(name, 'metadata');
    await action();
    return self();
  };
  return {
    updateAttributes: (attributes: unknown) =>
      clear('updateAttributes', () => raw.updateAttributes(attributes)),
    updateFriendlyName: (name) => clear('updateFriendlyName', () => raw.updateFriendlyName(name)),
    updateUniqueName: (name) => clear('updateUniqueName', () => raw.updateUniqueName(name)),
  };
}

// Message events are the message feed's. Events of before are kept for replay, not told.
function forwardEvents(
  raw: Channel,
  wrap: Wrappers,
  emitter: ReplayEmitter<Channel>,
  self: () => Channel,
): void {
  let before = true;
  const forward = (name: string, event: unknown): void => {
    if (before) emitter.remember(name, event);
    else emitter.emit(name, event);
  };
  for (const name of [
    'memberJoined',
    'memberInvited',
    'memberLeft',
    'typingStarted',
    'typingEnded',
  ] as const) {
    raw.onWithReplay(name, (member) => {
      forward(name, wrap.member(member));
    });
  }
  raw.onWithReplay('memberUpdated', ({ member, updateReasons }) => {
    forward('memberUpdated', { member: wrap.member(member), updateReasons });
  });
  raw.onWithReplay('updated', ({ updateReasons }) => {
    forward('updated', { channel: self(), updateReasons });
  });
  raw.onWithReplay('removed', () => {
    forward('removed', self());
  });
  before = false;
}
