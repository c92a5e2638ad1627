import { refuse } from '../errors.ts';
import type { ChannelData, MediaData, MessageData, MyChannelData, RosterData } from './data.ts';
import type { Channel, Chat, Media, Member } from './model.ts';
import type { Outsider } from './outside.ts';

/** The names of the entities a channel consists of; clients build the first one themselves. */
export function entityNames(channelSid: string): {
  channel: string;
  messages: string;
  roster: string;
} {
  return {
    channel: `${channelSid}.channel`,
    messages: `${channelSid}.messages`,
    roster: `${channelSid}.roster`,
  };
}

/** What a channel's document says. */
export function channelData(channel: Omit<Channel, 'document'>): ChannelData {
  const { messages, roster } = entityNames(channel.sid);
  const last = channel.messages.items.at(-1);
  return {
    sid: channel.sid,
    type: channel.type,
    uniqueName: channel.uniqueName,
    friendlyName: channel.friendlyName,
    attributes: channel.attributes,
    createdBy: channel.createdBy,
    dateCreated: channel.dateCreated,
    dateUpdated: channel.dateUpdated,
    messages,
    roster,
    state: { current: 'active', dateUpdated: channel.dateCreated },
    lastMessage: last === undefined ? null : { index: last.key, timestamp: last.data.timestamp },
  };
}

/** What a channel's roster says about a member. */
export function rosterData(member: Member): RosterData {
  return {
    identity: member.identity,
    type: 'chat',
    roleSid: member.roleSid,
    attributes: member.attributes,
    lastConsumedMessageIndex: member.horizon,
    lastConsumptionTimestamp: member.dateRead,
    dateCreated: member.dateCreated,
    dateUpdated: member.dateUpdated,
    userInfo: infoName(member.identity),
  };
}

/** What a channel's roster says about somebody outside. */
export function outsiderData({ roles }: Chat, outsider: Outsider): RosterData {
  const { type, attributes, dateCreated, dateUpdated, name, address, level } = outsider;
  return {
    identity: null,
    type,
    roleSid: roles.channelUser,
    attributes,
    lastConsumedMessageIndex: null,
    lastConsumptionTimestamp: null,
    dateCreated,
    dateUpdated,
    userInfo: null,
    ...(type === 'email' && { bindings: { email: { name, address, level } } }),
  };
}

/** What the map of an identity's channels says about a channel the identity is in or invited to. */
export function myChannelData(channel: Channel, identity: string): MyChannelData {
  const member = channel.members.get(identity);
  return {
    channelSid: channel.sid,
    status: member === undefined ? 'invited' : 'joined',
    type: channel.type,
    ...entityNames(channel.sid),
    lastConsumedMessageIndex: member?.horizon ?? null,
    notificationLevel: member?.notificationLevel ?? 'default',
    uniqueName: channel.uniqueName,
    friendlyName: channel.friendlyName,
    attributes: channel.attributes,
    createdBy: channel.createdBy,
    dateCreated: channel.dateCreated,
    dateUpdated: channel.dateUpdated,
  };
}

/** What a message says about a file. */
export function mediaData({ sid, category, filename, contentType, bytes }: Media): MediaData {
  return { sid, category, filename, contentType, size: bytes.length };
}

/** The part of a message that says what files it carries. */
export function attachments(
  medias: readonly MediaData[],
): Pick<MessageData, 'type' | 'media' | 'medias'> {
  const type = medias.length === 0 ? 'text' : 'media';
  return { type, media: medias[0] ?? null, medias };
}

/** The name of the map of an identity's channels. */
export function channelsName(identity: string): string {
  return `${identity}.channels`;
}

/** The name of an identity's info map. */
export function infoName(identity: string): string {
  return `${identity}.info`;
}

/** The identity's membership, or the refusal that it has none. */
export function memberOf(channel: Channel, identity: string): Member {
  const member = channel.members.get(identity);
  if (member === undefined) throw refuse('notMember');
  return member;
}
