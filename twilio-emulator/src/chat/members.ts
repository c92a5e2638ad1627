import { refuse } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import { MAX_CHANNELS_PER_USER, MAX_MEMBERS, MAX_SMALL_ATTRIBUTES_BYTES } from '../limits.ts';
import { newSid } from '../sids.ts';
import { isAdmin, mayManage } from './channels.ts';
import { attributesIn } from './input.ts';
import { memberOf, myChannelData, rosterData } from './items.ts';
import type { Channel, Chat, Member, Role } from './model.ts';
import { pushTo } from './pushes.ts';
import { ensureUser } from './users.ts';

/** Makes `identity` a member at the request of `by`: joining if it is the same, adding if not. */
export function join(
  chat: Chat,
  channel: Channel,
  by: string,
  identity: string,
  request: JsonRecord = {},
): Member {
  const open = channel.type === 'public' || channel.invited.has(identity);
  if (!(by === identity && open) && !mayManage(channel, by)) throw refuse('notAllowed');
  const attributes = attributesIn(request, MAX_SMALL_ATTRIBUTES_BYTES);
  const member = addMember(chat, channel, identity, attributes);
  if (by !== identity) pushTo(chat, channel, identity, by, { kind: 'added' });
  return member;
}

/**
 * Makes an identity a member, whoever wants it. The membership is in force before the user hears
 * of it, because the user's clients open the channel's entities at once.
 */
export function addMember(
  chat: Chat,
  channel: Channel,
  identity: string,
  attributes = '{}',
): Member {
  if (channel.members.has(identity)) throw refuse('memberExists');
  if (channel.members.size >= MAX_MEMBERS) throw refuse('tooManyMembers');
  requireRoom(chat, identity, channel);
  const today = chat.today();
  const { channelAdmin, channelUser } = chat.roles;
  const member: Member = {
    sid: newSid('MB'),
    identity,
    roleSid: channel.createdBy === identity ? channelAdmin : channelUser,
    attributes,
    horizon: null,
    dateRead: null,
    notificationLevel: 'default',
    dateCreated: today,
    dateUpdated: today,
  };
  channel.members.set(identity, member);
  channel.invited.delete(identity);
  chat.sync.putItem(channel.roster, member.sid, rosterData(member));
  publishMembership(chat, channel, identity);
  return member;
}

/** Lets an identity join a private channel. */
export function invite(chat: Chat, channel: Channel, by: string, identity: string): void {
  if (!mayManage(channel, by)) throw refuse('notAllowed');
  if (channel.members.has(identity)) throw refuse('memberExists');
  if (channel.invited.has(identity)) throw refuse('alreadyInvited');
  requireRoom(chat, identity, channel);
  channel.invited.add(identity);
  publishMembership(chat, channel, identity);
  pushTo(chat, channel, identity, by, { kind: 'invited' });
}

/** Takes an invitation back, or declines it. */
export function uninvite(chat: Chat, channel: Channel, by: string, identity: string): void {
  if (by !== identity && !mayManage(channel, by)) throw refuse('notAllowed');
  if (!channel.invited.delete(identity)) throw refuse('memberNotFound');
  withdraw(chat, channel, identity);
}

/** Ends a membership: leaving, or being removed by an admin of the channel. */
export function removeMember(chat: Chat, channel: Channel, by: string, member: Member): void {
  if (by !== member.identity && !isAdmin(chat, channel, by)) throw refuse('notAllowed');
  channel.members.delete(member.identity);
  withdraw(chat, channel, member.identity);
  chat.sync.removeItem(channel.roster, member.sid);
  if (by !== member.identity) pushTo(chat, channel, member.identity, by, { kind: 'removed' });
}

/** The member of this sid or identity. */
export function findMember(channel: Channel, sidOrIdentity: string): Member {
  const byIdentity = channel.members.get(sidOrIdentity);
  const found =
    byIdentity ?? [...channel.members.values()].find((member) => member.sid === sidOrIdentity);
  if (found === undefined) throw refuse('memberNotFound');
  return found;
}

/** Changes a member's attributes. */
export function updateMember(
  chat: Chat,
  channel: Channel,
  by: string,
  member: Member,
  request: JsonRecord,
): void {
  if (by !== member.identity && !isAdmin(chat, channel, by)) throw refuse('notAllowed');
  member.attributes = attributesIn(request, MAX_SMALL_ATTRIBUTES_BYTES) ?? member.attributes;
  member.dateUpdated = chat.today();
  chat.sync.putItem(channel.roster, member.sid, rosterData(member));
}

/** Makes a member an admin of the channel or an ordinary user of it. */
export function setRole(chat: Chat, channel: Channel, member: Member, role: Role): void {
  member.roleSid = chat.roles[role];
  member.dateUpdated = chat.today();
  chat.sync.putItem(channel.roster, member.sid, rosterData(member));
}

/** Sets the caller's read horizon: the index of the last message read, or null for none. */
export function setHorizon(
  chat: Chat,
  channel: Channel,
  identity: string,
  horizon: number | null,
): void {
  const member = memberOf(channel, identity);
  member.horizon = horizon;
  member.dateRead = horizon === null ? null : chat.today();
  chat.sync.putItem(channel.roster, member.sid, rosterData(member));
  publishMembership(chat, channel, identity);
}

/** Sets whether the caller wants notifications of the channel. */
export function setNotificationLevel(
  chat: Chat,
  channel: Channel,
  identity: string,
  level: unknown,
): void {
  if (level !== 'default' && level !== 'muted') throw refuse('invalidRequest', 'level');
  memberOf(channel, identity).notificationLevel = level;
  publishMembership(chat, channel, identity);
}

function publishMembership(chat: Chat, channel: Channel, identity: string): void {
  const { channels } = ensureUser(chat, identity);
  chat.sync.putItem(channels, channel.sid, myChannelData(channel, identity));
}

/** Stops pushing what the identity may no longer read, and tells it that it is out. */
function withdraw(chat: Chat, channel: Channel, identity: string): void {
  for (const entity of [channel.messages, channel.roster, channel.document]) {
    if (!entity.readableBy(identity)) chat.sync.revoke(entity, identity);
  }
  chat.sync.removeItem(ensureUser(chat, identity).channels, channel.sid);
}

function requireRoom(chat: Chat, identity: string, channel: Channel): void {
  const { items } = ensureUser(chat, identity).channels;
  if (items.length >= MAX_CHANNELS_PER_USER && !channel.invited.has(identity)) {
    throw refuse('tooManyChannels');
  }
}
