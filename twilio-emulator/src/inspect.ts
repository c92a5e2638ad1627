import { refuse } from './errors.ts';
import type { Channel, Chat, Media, MediaCategory, MediaData } from './chat/model.ts';
import { mediaData } from './chat/items.ts';
import type { Message } from './chat/messages.ts';
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
  readonly body: string;
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

/** A curious Twilio: everything it can read. */
export interface Inspect {
  channels(): readonly StoredChannel[];
  /** Messages of a channel, given by sid or unique name, in order. */
  messages(channel: string): readonly StoredMessage[];
  /** The uploaded files, also those whose message is gone or was never sent. */
  media(): readonly StoredMedia[];
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
    body: data.text,
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

function everything(chat: Chat): object {
  return {
    users: [...chat.users.values()].map(({ sid, identity, friendlyName, attributes }) => ({
      sid,
      identity,
      friendlyName,
      attributes,
    })),
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
