import { refuse } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import { MAX_SMALL_ATTRIBUTES_BYTES } from '../limits.ts';
import { newSid } from '../sids.ts';
import { lowerBound, type Item } from '../sync/entity.ts';
import { attributesIn, bodyIn, mediaIn, subjectIn } from './input.ts';
import { attachments, channelData, memberOf } from './items.ts';
import { takeMedia } from './media.ts';
import type { Channel, Chat, MessageData } from './model.ts';

/** A message in its place: `key` is its index. */
export type Message = Item<number, MessageData>;

/** Stores a message of `author` and tells everyone. */
export function sendMessage(
  chat: Chat,
  channel: Channel,
  author: string,
  request: JsonRecord,
): Message {
  const member = memberOf(channel, author);
  const today = chat.today();
  return storeMessage(chat, channel, channel.nextIndex, {
    sid: newSid('IM'),
    author,
    memberSid: member.sid,
    text: bodyIn(request) ?? '',
    subject: subjectIn(request),
    attributes: attributesIn(request, MAX_SMALL_ATTRIBUTES_BYTES) ?? '{}',
    timestamp: today,
    dateUpdated: today,
    lastUpdatedBy: author,
    ...attachments(takeMedia(chat, author, mediaIn(request))),
  });
}

/** Puts a message in its place and tells everyone, unchecked. */
export function storeMessage(
  chat: Chat,
  channel: Channel,
  index: number,
  data: MessageData,
): Message {
  channel.nextIndex = Math.max(channel.nextIndex, index + 1);
  chat.sync.putItem(channel.messages, index, data);
  chat.sync.setDocument(channel.document, channelData(channel));
  return messageAt(channel, index);
}

/** Changes text or attributes of a message. Its author and the channel's creator may. */
export function updateMessage(
  chat: Chat,
  channel: Channel,
  message: Message,
  by: string,
  request: JsonRecord,
): void {
  requireRight(channel, message, by);
  const change = {
    text: bodyIn(request) ?? message.data.text,
    attributes: attributesIn(request, MAX_SMALL_ATTRIBUTES_BYTES) ?? message.data.attributes,
    dateUpdated: chat.today(),
    lastUpdatedBy: by,
  };
  chat.sync.putItem(channel.messages, message.key, { ...message.data, ...change });
}

/** Removes a message; its index stays empty for ever. */
export function removeMessage(chat: Chat, channel: Channel, message: Message, by: string): void {
  requireRight(channel, message, by);
  eraseMessage(chat, channel, message);
}

/** Removes a message, whoever wants it. */
export function eraseMessage(chat: Chat, channel: Channel, message: Message): void {
  chat.sync.removeItem(channel.messages, message.key);
  chat.sync.setDocument(channel.document, channelData(channel));
}

/** The message of this sid. */
export function findMessage(channel: Channel, sid: string): Message {
  const found = channel.messages.items.find((message) => message.data.sid === sid);
  if (found === undefined) throw refuse('messageNotFound');
  return found;
}

/** The message with this index. */
export function messageAt(channel: Channel, index: number): Message {
  const found = channel.messages.items[lowerBound(channel.messages.items, index)];
  if (found?.key !== index) throw refuse('messageNotFound');
  return found;
}

/** How many messages come after the horizon; all of them if there is none. */
export function countUnread(channel: Channel, horizon: number | null): number {
  const { items } = channel.messages;
  return horizon === null ? items.length : items.length - lowerBound(items, horizon + 1);
}

function requireRight(channel: Channel, message: Message, by: string): void {
  const isAuthor = message.data.author === by && channel.members.has(by);
  if (!isAuthor && channel.createdBy !== by) throw refuse('notAllowed');
}
