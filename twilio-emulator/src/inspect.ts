import { refuse } from './errors.ts';
import type { MediaCategory, MediaData, Message } from './chat/data.ts';
import type { Channel, Chat, Media, Registration, SentPush, User } from './chat/model.ts';
import { mediaData } from './chat/items.ts';
import { isNotifiable } from './chat/users.ts';
import type { ReceivedFrame, Recorder } from './recorder.ts';

/** A channel as Twilio knows it. */
export interface StoredChannel {
  readonly sid: string;
  readonly type: 'private' | 'public';
  readonly uniqueName: string | null;
  readonly friendlyName: string | null;
  /** JSON text. */
  readonly attributes: string;
  readonly createdBy: string;
  readonly dateCreated: string;
  readonly dateUpdated: string;
  /** Identities. */
  readonly members: readonly string[];
  /** Identities. */
  readonly invited: readonly string[];
  readonly messageCount: number;
}

/** A message as Twilio knows it. */
export interface StoredMessage {
  readonly sid: string;
  readonly index: number;
  readonly author: string;
  readonly memberSid: string | null;
  /** Empty if the message has none. */
  readonly body: string;
  /** Only Conversations has subjects. */
  readonly subject: string | null;
  /** JSON text. */
  readonly attributes: string;
  readonly dateCreated: string;
  readonly dateUpdated: string;
  readonly lastUpdatedBy: string;
  /** What it says about the files it carries; none for a message of text. */
  readonly media: readonly MediaData[];
}

/** An uploaded file as Twilio knows it. */
export interface StoredMedia {
  readonly sid: string;
  readonly author: string;
  readonly category: MediaCategory;
  readonly filename: string | null;
  readonly contentType: string;
  readonly size: number;
  /** The stored bytes themselves, not a copy. */
  readonly bytes: Uint8Array;
  readonly dateCreated: string;
  readonly dateUpdated: string;
}

/** A user as Twilio knows it. */
export interface StoredUser {
  readonly sid: string;
  readonly identity: string;
  readonly friendlyName: string | null;
  /** JSON text. */
  readonly attributes: string;
  readonly online: boolean;
  /** Has the user a device that is registered for push notifications? */
  readonly notifiable: boolean;
}

/** A curious Twilio: everything it can read. */
export interface Inspect {
  channels(): readonly StoredChannel[];
  /** Messages of a channel, given by sid or unique name, in order. */
  messages(channel: string): readonly StoredMessage[];
  /** The uploaded files, also those whose message is gone or was never sent. */
  media(): readonly StoredMedia[];
  /** Everybody who has connected, or was added or invited. */
  users(): readonly StoredUser[];
  /** The devices that are registered for push notifications. */
  registrations(): readonly Registration[];
  /** The push notifications that Twilio would have sent to those devices, oldest first. */
  pushes(): readonly SentPush[];
  /** Who follows an object, such as `CH….messages`, over a connection right now. */
  followers(object: string): readonly string[];
  /**
   * Everything stored as JSON text, with the whole history: earlier versions and removed messages
   * are in it. Attributes are JSON within JSON there, and what in a file is no text is left out, so
   * look for a word rather than for syntax. Of files there is no history.
   */
  dump(): string;
  /** The last frames clients sent, as many as `config.record` says. */
  received(): readonly ReceivedFrame[];
}

/** Read access to what the service holds. */
export function createInspect(chat: Chat, recorder: Recorder): Inspect {
  return {
    channels: () => [...chat.channels.values()].map(storedChannel),
    messages: (channel) => lookUp(chat, channel).messages.items.map(storedMessage),
    media: () => [...chat.media.values()].map(storedMedia),
    users: () => [...chat.users.values()].map((user) => storedUser(chat, user)),
    registrations: () => [...chat.registrations.values()],
    pushes: () => [...chat.pushes],
    followers: (object) =>
      [...(chat.sync.find(object)?.subscribers ?? [])].map(({ identity }) => identity),
    dump: () => JSON.stringify(everything(chat), null, 2),
    received: recorder.frames,
  };
}

/** The channel of this sid or unique name. */
export function lookUp(chat: Chat, sidOrName: string): Channel {
  const channel = chat.channels.get(sidOrName) ?? chat.channelsByName.get(sidOrName);
  if (channel === undefined) throw refuse('channelNotFound', sidOrName);
  return channel;
}

/** A message of a list, under the names that its author's application uses. */
export function storedMessage({ key, data }: Message): StoredMessage {
  return {
    sid: data.sid,
    index: key,
    author: data.author,
    memberSid: data.memberSid,
    body: data.text ?? '',
    subject: data.subject,
    attributes: data.attributes,
    dateCreated: data.timestamp,
    dateUpdated: data.dateUpdated,
    lastUpdatedBy: data.lastUpdatedBy,
    media: data.medias,
  };
}

/** A file, as the store has it. */
export function storedMedia(media: Media): StoredMedia {
  const { author, bytes, dateCreated, dateUpdated } = media;
  return { ...mediaData(media), author, bytes, dateCreated, dateUpdated };
}

function storedChannel(channel: Channel): StoredChannel {
  return {
    sid: channel.sid,
    type: channel.type,
    uniqueName: channel.uniqueName,
    friendlyName: channel.friendlyName,
    attributes: channel.attributes,
    createdBy: channel.createdBy,
    dateCreated: channel.dateCreated,
    dateUpdated: channel.dateUpdated,
    members: [...channel.members.keys()],
    invited: [...channel.invited],
    messageCount: channel.messages.items.length,
  };
}

function storedUser(chat: Chat, user: User): StoredUser {
  const { sid, identity, friendlyName, attributes, online } = user;
  const notifiable = isNotifiable(chat, identity);
  return { sid, identity, friendlyName, attributes, online, notifiable };
}

function everything(chat: Chat): object {
  return {
    users: [...chat.users.values()].map((user) => storedUser(chat, user)),
    registrations: [...chat.registrations.values()],
    pushes: chat.pushes,
    channels: [...chat.channels.values()].map(storedChannel),
    media: [...chat.media.values()].map(({ bytes, ...media }) => ({
      ...media,
      text: legible(bytes),
    })),
    sync: [...chat.sync.all()].map(({ subscribers, ...entity }) => ({
      ...entity,
      followers: [...subscribers].map(({ identity }) => identity),
    })),
  };
}

/** What can be read in a file; the rest is shortened, lest JSON make six characters of each byte. */
function legible(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll(/[\p{Cc}\uFFFD]+/gu, '\uFFFD');
}
