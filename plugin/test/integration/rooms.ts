/**
 * Both SDKs by one name, so that a scenario is written once: a room is a channel of twilio-chat, or a
 * conversation of Conversations, as one wrapped client has it.
 */
import type * as Conversations from '@twilio/conversations';
import type * as Chat from 'twilio-chat';
import { next } from './next.ts';

type Client = Chat.Client | Conversations.Client;
type Channel = Chat.Channel | Conversations.Conversation;
/** A message of either SDK. */
export type AnyMessage = Chat.Message | Conversations.Message;

/** A file of either SDK. */
type AnyMedia = Chat.Media | Conversations.Media;

/** A wrapped client of either SDK. */
export interface Device {
  readonly identity: string;
  readonly client: Client;
  createRoom(): Promise<Room>;
  /** The room when this person was added to it. */
  joined(sid: string): Promise<Room>;
  room(sid: string): Promise<Room>;
}

/** A channel or conversation. */
export interface Room {
  readonly raw: Channel;
  add(identity: string): Promise<unknown>;
  remove(identity: string): Promise<void>;
  members(): Promise<readonly (string | null)[]>;
  unread(): Promise<number | null>;
  /** Marks messages as read up to this one; gives how many are left. */
  read(index: number): Promise<number | null>;
}

/** A wrapped client of twilio-chat. */
export function chatDevice(identity: string, client: Chat.Client): Device {
  return {
    identity,
    client,
    async createRoom() {
      const channel = await client.createChannel({ isPrivate: true });
      await channel.join();
      await channel.getMembers();
      return chatRoom(channel);
    },
    async joined(sid) {
      const channel = await next<Chat.Channel>(client, 'channelJoined', (one) => one.sid === sid);
      await channel.getMembers();
      return chatRoom(channel);
    },
    room: async (sid) => chatRoom(await client.getChannelBySid(sid)),
  };
}

function chatRoom(channel: Chat.Channel): Room {
  return {
    raw: channel,
    add: (identity) => channel.add(identity),
    remove: (identity) => channel.removeMember(identity),
    members: async () => (await channel.getMembers()).map(({ identity }) => identity),
    unread: () => channel.getUnconsumedMessagesCount(),
    read: (index) => channel.updateLastConsumedMessageIndex(index),
  };
}

/** A wrapped client of Conversations. */
export function conversationsDevice(identity: string, client: Conversations.Client): Device {
  return {
    identity,
    client,
    async createRoom() {
      const conversation = await client.createConversation();
      await conversation.join();
      await conversation.getParticipants();
      return conversationRoom(conversation);
    },
    async joined(sid) {
      const conversation = await next<Conversations.Conversation>(
        client,
        'conversationJoined',
        (one) => one.sid === sid,
      );
      await conversation.getParticipants();
      return conversationRoom(conversation);
    },
    room: async (sid) => conversationRoom(await client.getConversationBySid(sid)),
  };
}

function conversationRoom(conversation: Conversations.Conversation): Room {
  return {
    raw: conversation,
    add: (identity) => conversation.add(identity),
    remove: (identity) => conversation.removeParticipant(identity),
    members: async () => (await conversation.getParticipants()).map(({ identity }) => identity),
    unread: () => conversation.getUnreadMessagesCount(),
    read: (index) => conversation.updateLastReadMessageIndex(index),
  };
}

/** A new room of two people, as each of them has it. */
export async function meet(one: Device, other: Device): Promise<readonly [Room, Room]> {
  const own = await one.createRoom();
  return [own, await bring(own, other)];
}

/** Adds somebody to a room, and gives it as they have it. */
export async function bring(room: Room, other: Device): Promise<Room> {
  const joined = other.joined(room.raw.sid);
  await room.add(other.identity);
  return joined;
}

/** The next message of a room that `accept` takes. */
export function arrival(
  { raw }: Room,
  accept: (message: AnyMessage) => boolean = () => true,
): Promise<AnyMessage> {
  return next<AnyMessage>(raw, 'messageAdded', accept);
}

/** Sends, and gives the message as `reader` gets it. */
export async function tell(
  sender: Room,
  reader: Room,
  body: string,
  attributes?: Conversations.JSONValue,
): Promise<AnyMessage> {
  const arrived = arrival(reader);
  await sender.raw.sendMessage(body, attributes);
  return arrived;
}

/** All messages, oldest first, through every page. */
export async function pages({ raw }: Room, size: number): Promise<AnyMessage[]> {
  let page: { items: AnyMessage[]; hasPrevPage: boolean; prevPage(): Promise<typeof page> } =
    await raw.getMessages(size);
  const messages = [...page.items];
  while (page.hasPrevPage) {
    page = await page.prevPage();
    messages.unshift(...page.items);
  }
  return messages;
}

/** The files of a message. */
export function filesOf(message: AnyMessage): readonly AnyMedia[] {
  if ('attachedMedia' in message) return message.attachedMedia ?? [];
  return message.type === 'media' ? [message.media] : [];
}

/** What a file of a message says, read through the address that an application would show. */
export async function textOf(file: AnyMedia | undefined): Promise<string> {
  const response = await fetch((await file?.getContentTemporaryUrl()) ?? '');
  return response.text();
}
