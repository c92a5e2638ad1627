import type { Message } from './data.ts';
import type { Channel, Chat, Registration } from './model.ts';

/** What a push notification is about. */
export type PushEvent =
  | { readonly kind: 'newMessage'; readonly message: Message }
  | { readonly kind: 'added' | 'invited' | 'removed' };

/** The SDKs ask for the same events by different names, in interfaces/notification-types.js. */
const NAMES = {
  newMessage: ['twilio.channel.new_message', 'twilio.conversations.new_message'],
  added: ['twilio.channel.added_to_channel', 'twilio.conversations.added_to_conversation'],
  invited: ['twilio.channel.invited_to_channel'],
  removed: [
    'twilio.channel.removed_from_channel',
    'twilio.conversations.removed_from_conversation',
  ],
} as const;

/**
 * Twilio cuts the text after so many bytes of UTF-8, at the end of a character: "Push Notification
 * Configuration" in its documentation.
 */
const MAX_TEXT_BYTES = 178;

/** Notes what Twilio would push to the devices of `identity` because of what `by` did. */
export function pushTo(
  chat: Chat,
  channel: Channel,
  identity: string,
  by: string,
  event: PushEvent,
): void {
  for (const device of chat.registrations.values()) {
    if (device.identity !== identity) continue;
    const type = NAMES[event.kind].find((name) => device.messageTypes.includes(name));
    if (type === undefined) continue;
    const { channelType, address } = device;
    const payload = payloadFor(channelType, {
      title: titleOf(channel),
      body: shorten(textOf(chat, channel, by, event, type)),
      data: { twi_message_type: type, ...dataOf(channel, event, type) },
    });
    chat.pushes.push({ identity, channelType, address, payload });
  }
}

/** Notes what Twilio would push because of a message: to all members but its author. */
export function pushMessage(chat: Chat, channel: Channel, message: Message): void {
  const { author } = message.data;
  for (const { identity, notificationLevel } of channel.members.values()) {
    if (identity === author || notificationLevel === 'muted') continue;
    pushTo(chat, channel, identity, author, { kind: 'newMessage', message });
  }
}

/** Where the SDKs look for the parts: `parsePushNotification` in their client.js. */
function payloadFor(
  channelType: Registration['channelType'],
  { title, body, data }: { title: string; body: string; data: Record<string, string> },
): Record<string, unknown> {
  return channelType === 'fcm'
    ? { data: { ...data, twi_title: title, twi_body: body } }
    : { aps: { alert: { title, body } }, ...data };
}

/** The default templates of the service. */
function textOf(chat: Chat, channel: Channel, by: string, event: PushEvent, type: string): string {
  const user = chat.users.get(by)?.friendlyName ?? by;
  const room = titleOf(channel);
  const noun = isForConversations(type) ? 'conversation' : 'channel';
  switch (event.kind) {
    case 'newMessage': {
      const { text, media } = event.message.data;
      return `${room};${user}: ${text ?? media?.filename ?? ''}`;
    }
    case 'added':
    case 'invited':
      return `You have been ${event.kind} to the ${noun} ${room} by ${user}`;
    case 'removed':
      return `${user} has removed you from the ${noun} ${room}`;
  }
}

/** What the SDKs make `PushNotification.data` of; Firebase takes nothing but texts. */
function dataOf(channel: Channel, event: PushEvent, type: string): Record<string, string> {
  const forConversations = isForConversations(type);
  const room = forConversations
    ? { conversation_sid: channel.sid, conversation_title: titleOf(channel) }
    : { channel_sid: channel.sid };
  if (event.kind !== 'newMessage') return room;
  const { key, data } = event.message;
  const message = { message_sid: data.sid, message_index: String(key) };
  if (!forConversations || data.medias.length === 0) return { ...room, ...message };
  const media = data.medias.map(({ sid, category, filename, contentType, size }) => ({
    ...{ sid, category, filename, size },
    content_type: contentType,
  }));
  const files = { media_count: String(media.length), media: JSON.stringify(media) };
  return { ...room, ...message, ...files };
}

function titleOf({ friendlyName, uniqueName, sid }: Channel): string {
  return friendlyName ?? uniqueName ?? sid;
}

function isForConversations(type: string): boolean {
  return type.startsWith('twilio.conversations.');
}

function shorten(text: string): string {
  const bytes = Buffer.from(text).subarray(0, MAX_TEXT_BYTES);
  // Streaming, a decoder keeps back what is not a whole character.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}
