import type { Clients } from './clients.ts';
import { addMember } from './chat/members.ts';
import { attachments } from './chat/items.ts';
import { changeMedia, mediaOf, storeMedia } from './chat/media.ts';
import { eraseMessage, messageAt, storeMessage } from './chat/messages.ts';
import type { MediaData, MessageData } from './chat/data.ts';
import type { Chat } from './chat/model.ts';
import {
  lookUp,
  storedMedia,
  storedMessage,
  type StoredMedia,
  type StoredMessage,
} from './inspect.ts';
import type { Interceptors, PushInterceptor, RequestInterceptor } from './interceptors.ts';
import { newSid } from './sids.ts';

/** Any part of a message but its place. */
export type MessageParts = Partial<Omit<StoredMessage, 'index'>>;

/** What of a stored file can be changed. */
export type MediaParts = Partial<Pick<StoredMedia, 'bytes' | 'contentType' | 'filename'>>;

/**
 * `pushed`: clients hear of it as of any other change. `silently`: they do not, and only see it if
 * they read the message for the first time, from a page or among what they missed while offline.
 */
export type Manner = 'pushed' | 'silently';

/** A malicious Twilio: what it can do. Channels are given by sid or unique name. */
export interface Tamper {
  /** Changes a stored message. */
  rewrite(channel: string, index: number, parts: MessageParts, manner?: Manner): StoredMessage;
  /** Stores a message nobody sent, by default at the end; in a taken place it replaces. */
  inject(
    channel: string,
    message: MessageParts & Pick<StoredMessage, 'author' | 'body'>,
    index?: number,
  ): StoredMessage;
  /** Stores a message a second time, in the same channel or in another. */
  copy(
    from: { readonly channel: string; readonly index: number },
    to: { readonly channel: string; readonly index?: number },
  ): StoredMessage;
  /** Removes a message. */
  remove(channel: string, index: number, manner?: Manner): void;
  /** Changes a stored file. What messages say about it stays: `rewrite` changes that. */
  rewriteMedia(sid: string, parts: MediaParts): StoredMedia;
  /** Stores a file that nobody uploaded; it can be among the `media` of a message then. */
  injectMedia(
    media: MediaParts & Pick<StoredMedia, 'author' | 'bytes' | 'contentType'>,
  ): StoredMedia;
  /** Loses a file; the messages that carry it stay. */
  removeMedia(sid: string): void;
  /** Makes someone a member whom no member has added. */
  addMember(channel: string, identity: string): void;
  /** Drops, rewrites, delays, repeats or reorders what is pushed. The result ends it. */
  readonly onPush: (interceptor: PushInterceptor) => () => void;
  /** Fails, drops or delays requests, before or after they take effect. The result ends it. */
  readonly onRequest: (interceptor: RequestInterceptor) => () => void;
  /** Cuts an identity's connections as a broken network does. */
  disconnect(identity: string): void;
  /** Sends an identity's clients away to connect anew, as Twilio does for maintenance (308). */
  offload(identity: string): void;
}

/** Power over everything the service holds and pushes. */
export function createTamper(chat: Chat, clients: Clients, interceptors: Interceptors): Tamper {
  return {
    rewrite(id, index, parts, manner = 'pushed') {
      const channel = lookUp(chat, id);
      const { messages } = channel;
      const message = messageAt(channel, index);
      const data = { ...message.data, ...toData(parts) };
      if (manner === 'pushed') chat.sync.putItem(messages, index, data);
      else chat.sync.rewriteItem(messages, index, data);
      return storedMessage(message);
    },
    inject(id, message, index) {
      const channel = lookUp(chat, id);
      const data = { ...blank(chat, channel.members.get(message.author)?.sid), ...toData(message) };
      const withEditor = { ...data, lastUpdatedBy: message.lastUpdatedBy ?? message.author };
      return storedMessage(storeMessage(chat, channel, index ?? channel.nextIndex, withEditor));
    },
    copy(from, to) {
      const { data } = messageAt(lookUp(chat, from.channel), from.index);
      const channel = lookUp(chat, to.channel);
      return storedMessage(storeMessage(chat, channel, to.index ?? channel.nextIndex, data));
    },
    remove(id, index, manner = 'pushed') {
      const channel = lookUp(chat, id);
      const message = messageAt(channel, index);
      if (manner === 'pushed') eraseMessage(chat, channel, message);
      else chat.sync.eraseItem(channel.messages, index);
    },
    rewriteMedia(sid, parts) {
      const media = mediaOf(chat, sid);
      changeMedia(chat, media, parts);
      return storedMedia(media);
    },
    injectMedia({ author, filename = null, ...parts }) {
      return storedMedia(storeMedia(chat, author, { category: 'media', filename, ...parts }));
    },
    removeMedia(sid) {
      chat.media.delete(mediaOf(chat, sid).sid);
    },
    addMember(id, identity) {
      addMember(chat, lookUp(chat, id), identity);
    },
    onPush: interceptors.onPush,
    onRequest: interceptors.onRequest,
    disconnect(identity) {
      for (const { link } of clients.of(identity)) link.drop();
    },
    offload(identity) {
      const backoff = { backoff_policy: { reconnect_min_ms: 100 } };
      for (const { link } of clients.of(identity)) link.goodbye(308, 'OFFLOADED', backoff);
    },
  };
}

function blank(chat: Chat, memberSid = newSid('MB')): MessageData {
  const today = chat.today();
  return {
    sid: newSid('IM'),
    author: '',
    memberSid,
    text: '',
    subject: null,
    attributes: '{}',
    timestamp: today,
    dateUpdated: today,
    lastUpdatedBy: '',
    contentSid: null,
    ...attachments([]),
  };
}

function toData({ body, dateCreated, media, ...same }: MessageParts): Partial<MessageData> {
  return {
    ...same,
    ...(body !== undefined && { text: body }),
    ...(dateCreated !== undefined && { timestamp: dateCreated }),
    ...(media !== undefined && attachments(media.map(onlyData))),
  };
}

/** Without what a stored file has beside it. */
function onlyData({ sid, category, filename, contentType, size }: MediaData): MediaData {
  return { sid, category, filename, contentType, size };
}
