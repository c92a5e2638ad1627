import { refuse } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import { MAX_CHANNEL_ATTRIBUTES_BYTES } from '../limits.ts';
import { newSid } from '../sids.ts';
import { attributesIn, friendlyNameIn, uniqueNameIn } from './input.ts';
import { channelData, entityNames } from './items.ts';
import type { MessageData, RosterData } from './data.ts';
import type { Channel, Chat, Member } from './model.ts';
import type { ChannelMetadata, Delivery, Outsider } from './outside.ts';

/** Creates a channel. Its creator may manage it but is not a member. */
export function createChannel(chat: Chat, creator: string, request: JsonRecord): Channel {
  const uniqueName = uniqueNameIn(request) ?? null;
  requireFree(chat, uniqueName);
  const today = chat.today();
  const core = {
    sid: newSid('CH'),
    // Conversations has private ones only, and does not say so.
    type: request['type'] === 'public' ? 'public' : 'private',
    uniqueName,
    friendlyName: friendlyNameIn(request) ?? null,
    attributes: attributesIn(request, MAX_CHANNEL_ATTRIBUTES_BYTES) ?? '{}',
    createdBy: creator,
    dateCreated: today,
    dateUpdated: today,
    nextIndex: 0,
    members: new Map<string, Member>(),
    invited: new Set<string>(),
    outsiders: new Map<string, Outsider>(),
    metadata: new Map<string, ChannelMetadata>(),
    deliveries: new Map<string, readonly Delivery[]>(),
  } as const;
  const channel: Channel = withEntities(chat, core);
  chat.channels.set(channel.sid, channel);
  if (uniqueName !== null) chat.channelsByName.set(uniqueName, channel);
  return channel;
}

/** Opens the channel's three entities; who may read them follows the membership at any time. */
function withEntities(
  chat: Chat,
  core: Omit<Channel, 'document' | 'messages' | 'roster'>,
): Channel {
  const names = entityNames(core.sid);
  const isMember = (identity: string): boolean => core.members.has(identity);
  const messages = chat.sync.createList<MessageData>(names.messages, isMember);
  const roster = chat.sync.createMap<RosterData>(names.roster, isMember);
  const opened = Object.assign(core, { messages, roster });
  const document = chat.sync.createDocument(names.channel, channelData(opened), (identity) =>
    maySee(core, identity),
  );
  return Object.assign(opened, { document });
}

/** May the identity know of the channel? */
export function maySee(
  channel: Pick<Channel, 'type' | 'members' | 'invited' | 'createdBy'>,
  identity: string,
): boolean {
  return channel.type === 'public' || channel.invited.has(identity) || mayManage(channel, identity);
}

/** May the identity change the channel and add or invite others? Members and the creator may. */
export function mayManage(
  channel: Pick<Channel, 'members' | 'createdBy'>,
  identity: string,
): boolean {
  return channel.members.has(identity) || channel.createdBy === identity;
}

/** May the identity delete the channel, remove its members, and edit and remove all messages? */
export function isAdmin(chat: Chat, channel: Channel, identity: string): boolean {
  const role = channel.members.get(identity)?.roleSid;
  return channel.createdBy === identity || role === chat.roles.channelAdmin;
}

/** The channel of this sid or unique name, if the identity may see it. */
export function findChannel(chat: Chat, sidOrName: string, identity: string): Channel {
  const channel = chat.channels.get(sidOrName) ?? chat.channelsByName.get(sidOrName);
  if (channel === undefined) throw refuse('channelNotFound');
  if (!maySee(channel, identity)) throw refuse('notMember');
  return channel;
}

/** Changes names or attributes. */
export function updateChannel(
  chat: Chat,
  channel: Channel,
  identity: string,
  request: JsonRecord,
): void {
  if (!mayManage(channel, identity)) throw refuse('notAllowed');
  const uniqueName = uniqueNameIn(request);
  const friendlyName = friendlyNameIn(request);
  const attributes = attributesIn(request, MAX_CHANNEL_ATTRIBUTES_BYTES);

  if (uniqueName !== undefined && uniqueName !== channel.uniqueName) {
    requireFree(chat, uniqueName);
    if (channel.uniqueName !== null) chat.channelsByName.delete(channel.uniqueName);
    if (uniqueName !== null) chat.channelsByName.set(uniqueName, channel);
    channel.uniqueName = uniqueName;
  }
  if (friendlyName !== undefined) channel.friendlyName = friendlyName;
  if (attributes !== undefined) channel.attributes = attributes;
  channel.dateUpdated = chat.today();
  chat.sync.setDocument(channel.document, channelData(channel));
}

/** Deletes the channel with everything in it. */
export function deleteChannel(chat: Chat, channel: Channel, identity: string): void {
  if (!isAdmin(chat, channel, identity)) throw refuse('notAllowed');
  chat.channels.delete(channel.sid);
  if (channel.uniqueName !== null) chat.channelsByName.delete(channel.uniqueName);
  for (const member of [...channel.members.keys(), ...channel.invited]) {
    const user = chat.users.get(member);
    if (user !== undefined) chat.sync.removeItem(user.channels, channel.sid);
  }
  chat.sync.destroy(channel.messages);
  chat.sync.destroy(channel.roster);
  chat.sync.destroy(channel.document);
}

function requireFree(chat: Chat, uniqueName: string | null): void {
  if (uniqueName !== null && chat.channelsByName.has(uniqueName)) throw refuse('uniqueNameTaken');
}
