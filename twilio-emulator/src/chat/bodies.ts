import { entityNames, infoName } from './items.ts';
import { countUnread } from './messages.ts';
import type { Message } from './data.ts';
import type { Channel, Chat, Member } from './model.ts';
import type { ContentTemplate, Delivery, Outsider } from './outside.ts';
import { channelUrl, userUrl } from './urls.ts';
import { findUser, isNotifiable } from './users.ts';

/** A channel as REST answers it to an identity. */
export function channelBody(channel: Channel, identity: string): object {
  const { messages, roster, channel: document } = entityNames(channel.sid);
  const url = channelUrl(channel.sid);
  return {
    sid: channel.sid,
    conversation_sid: channel.sid,
    type: channel.type,
    unique_name: channel.uniqueName,
    friendly_name: channel.friendlyName,
    attributes: channel.attributes,
    created_by: channel.createdBy,
    date_created: channel.dateCreated,
    date_updated: channel.dateUpdated,
    state: 'active',
    messages_count: channel.messages.items.length,
    participants_count: channel.members.size + channel.outsiders.size,
    ...membership(channel, identity),
    sync_objects: { conversation: document, messages, participants: roster },
    url,
    links: {
      messages: `${url}/Messages`,
      participants: `${url}/Participants`,
      invites: `${url}/Invites`,
    },
  };
}

function membership(channel: Channel, identity: string): object {
  const member = channel.members.get(identity);
  const outside = channel.invited.has(identity) ? 'invited' : 'notParticipating';
  const horizon = member?.horizon ?? null;
  return {
    status: member === undefined ? outside : 'joined',
    notification_level: member?.notificationLevel ?? 'default',
    last_consumed_message_index: horizon,
    last_read_message_index: horizon,
    unread_messages_count: horizon === null ? null : countUnread(channel, horizon),
  };
}

/** A channel as REST answers it to a member who has just set the horizon: with a count always. */
export function horizonBody(channel: Channel, identity: string): object {
  const horizon = channel.members.get(identity)?.horizon ?? null;
  return {
    ...channelBody(channel, identity),
    unread_messages_count: countUnread(channel, horizon),
  };
}

/** A member as REST answers it. */
export function memberBody(channel: Channel, member: Member): object {
  const url = channelUrl(channel.sid);
  return {
    sid: member.sid,
    conversation_sid: channel.sid,
    identity: member.identity,
    role_sid: member.roleSid,
    attributes: member.attributes,
    messaging_binding: null,
    date_created: member.dateCreated,
    date_updated: member.dateUpdated,
    url: `${url}/Participants/${member.sid}`,
    links: { conversation: url },
  };
}

/** Somebody outside as REST answers it. */
export function outsiderBody(chat: Chat, channel: Channel, outsider: Outsider): object {
  const url = channelUrl(channel.sid);
  const { sid, type, address, proxyAddress, name, level } = outsider;
  return {
    sid,
    conversation_sid: channel.sid,
    identity: null,
    role_sid: chat.roles.channelUser,
    attributes: outsider.attributes,
    messaging_binding: { type, address, proxy_address: proxyAddress, name, level },
    date_created: outsider.dateCreated,
    date_updated: outsider.dateUpdated,
    url: `${url}/Participants/${sid}`,
    links: { conversation: url },
  };
}

/** A message as REST answers it. */
export function messageBody(channel: Channel, { key, data }: Message): object {
  const url = channelUrl(channel.sid);
  return {
    sid: data.sid,
    index: key,
    conversation_sid: channel.sid,
    author: data.author,
    body: data.text,
    attributes: data.attributes,
    participant_sid: data.memberSid,
    subject: data.subject,
    media: data.media && {
      sid: data.media.sid,
      size: data.media.size,
      content_type: data.media.contentType,
      filename: data.media.filename,
    },
    date_created: data.timestamp,
    date_updated: data.dateUpdated,
    url: `${url}/Messages/${data.sid}`,
    links: { conversation: url, messages_receipts: `${url}/Messages/${data.sid}/Receipts` },
  };
}

/** A message on its way to somebody outside, as REST answers it. */
export function receiptBody(channel: Channel, delivery: Delivery): object {
  return {
    sid: delivery.sid,
    message_sid: delivery.messageSid,
    conversation_sid: channel.sid,
    channel_message_sid: delivery.carrierSid,
    participant_sid: delivery.to.sid,
    status: delivery.status,
    error_code: null,
    date_created: delivery.dateCreated,
    date_updated: delivery.dateUpdated,
  };
}

/** Whom a message was sent to by email, as REST answers it. */
export function recipientBody({ messageSid, to }: Delivery): object {
  const { type, level, name, address } = to;
  return { type, message_sid: messageSid, level, name, address };
}

/** A template as REST answers it. */
export function templateBody(template: ContentTemplate): object {
  const { sid, friendlyName, variables, body, dateCreated, dateUpdated } = template;
  return {
    sid,
    friendly_name: friendlyName,
    // Text, unlike the variants: the constructor in content-template.js parses it.
    variables: JSON.stringify(variables),
    variants: { 'twilio/text': { body } },
    date_created: dateCreated,
    date_updated: dateUpdated,
  };
}

/** A user as REST answers it. */
export function userBody(chat: Chat, identity: string): object {
  const user = findUser(chat, identity);
  return {
    sid: user.sid,
    identity,
    friendly_name: user.friendlyName,
    attributes: user.attributes,
    is_online: user.online,
    is_notifiable: isNotifiable(chat, identity),
    sync_unique_name: infoName(identity),
    sync_objects: { user_info_map: infoName(identity) },
    url: userUrl(identity),
  };
}
