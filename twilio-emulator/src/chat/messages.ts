import { refuse } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import { MAX_SMALL_ATTRIBUTES_BYTES } from '../limits.ts';
import { newSid } from '../sids.ts';
import { lowerBound } from '../sync/entity.ts';
import { isAdmin } from './channels.ts';
import { sendOutside } from './deliveries.ts';
import { attributesIn, bodyIn, mediaIn, subjectIn } from './input.ts';
import { attachments, channelData, mediaData, memberOf } from './items.ts';
import { takeMedia } from './media.ts';
import type { ChannelMetadata, Outsider } from './outside.ts';
import { pushMessage } from './pushes.ts';
import { renderedIn } from './templates.ts';
import type { Message, MessageData } from './data.ts';
import type { Channel, Chat } from './model.ts';

/** Stores a message of `author` and tells everyone. */
export function sendMessage(
  chat: Chat,
  channel: Channel,
  author: string,
  request: JsonRecord,
): Message {
  const member = memberOf(channel, author);
  const today = chat.today();
  const attributes = attributesIn(request, MAX_SMALL_ATTRIBUTES_BYTES) ?? '{}';
  const subject = subjectIn(request);
  const text = bodyIn(request) ?? null;
  const files = takeMedia(chat, author, mediaIn(request));
  const content = renderedIn(chat, author, request);
  const sid = newSid('IM');
  const delivery = sendOutside(chat, channel, sid);
  const message = storeMessage(chat, channel, channel.nextIndex, {
    sid,
    author,
    memberSid: member.sid,
    text: text ?? content?.text ?? null,
    subject,
    attributes,
    timestamp: today,
    dateUpdated: today,
    lastUpdatedBy: author,
    contentSid: content?.contentSid ?? null,
    ...attachments(content === null ? files : [...files, mediaData(content.file)]),
    ...(delivery !== null && { delivery }),
  });
  pushMessage(chat, channel, message);
  return message;
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

/** Stores a message that came from somebody outside. */
export function receiveMessage(
  chat: Chat,
  channel: Channel,
  { sid: memberSid, address: author }: Outsider,
  { body: text, metadata }: { readonly body: string; readonly metadata?: ChannelMetadata },
): Message {
  const today = chat.today();
  const sid = newSid('IM');
  if (metadata !== undefined) channel.metadata.set(sid, metadata);
  const message = storeMessage(chat, channel, channel.nextIndex, {
    ...{ sid, author, memberSid, text, lastUpdatedBy: author },
    ...{ subject: null, attributes: '{}', timestamp: today, dateUpdated: today, contentSid: null },
    ...attachments([]),
    ...(metadata !== undefined && { channelMetadata: true }),
  });
  pushMessage(chat, channel, message);
  return message;
}

/** Changes text or attributes of a message. Its author and the channel's admins may. */
export function updateMessage(
  chat: Chat,
  channel: Channel,
  message: Message,
  by: string,
  request: JsonRecord,
): void {
  requireRight(chat, channel, message, by);
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
  requireRight(chat, channel, message, by);
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

function requireRight(chat: Chat, channel: Channel, message: Message, by: string): void {
  const isAuthor = message.data.author === by && channel.members.has(by);
  if (!isAuthor && !isAdmin(chat, channel, by)) throw refuse('notAllowed');
}
