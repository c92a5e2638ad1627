import type { Sync } from '../sync/store.ts';
import type { SyncDocument, SyncList, SyncMap } from '../sync/entity.ts';

/** A channel (Conversations: a conversation). */
export interface Channel {
  readonly sid: string;
  readonly type: 'private' | 'public';
  uniqueName: string | null;
  friendlyName: string | null;
  /** JSON text, as the client sent it. */
  attributes: string;
  readonly createdBy: string;
  readonly dateCreated: string;
  dateUpdated: string;
  /** The index the next message gets. It only grows: an index is never used twice. */
  nextIndex: number;
  /** By identity. */
  readonly members: Map<string, Member>;
  /** Identities that may join although the channel is private. */
  readonly invited: Set<string>;
  readonly document: SyncDocument<ChannelData>;
  readonly messages: SyncList<MessageData>;
  readonly roster: SyncMap<RosterData>;
}

/** Someone who has joined a channel (Conversations: a participant). */
export interface Member {
  readonly sid: string;
  readonly identity: string;
  readonly roleSid: string;
  /** JSON text. */
  attributes: string;
  /** Index of the last message read. */
  horizon: number | null;
  dateRead: string | null;
  notificationLevel: 'default' | 'muted';
  readonly dateCreated: string;
  dateUpdated: string;
}

/** Someone with a user resource: whoever has connected, or was added or invited. */
export interface User {
  readonly sid: string;
  readonly identity: string;
  friendlyName: string | null;
  /** JSON text. */
  attributes: string;
  /** The channels the user is in or invited to. */
  readonly channels: SyncMap<MyChannelData>;
  readonly info: SyncMap<UserInfoData>;
}

/** A stored message: the data of an item of the channel's message list. */
export interface MessageData {
  readonly sid: string;
  readonly author: string;
  readonly memberSid: string | null;
  readonly text: string;
  readonly subject: string | null;
  /** JSON text. */
  readonly attributes: string;
  readonly timestamp: string;
  readonly dateUpdated: string;
  readonly lastUpdatedBy: string;
  readonly type: 'text' | 'media';
  /** The first of them: the only one twilio-chat knows of. */
  readonly media: MediaData | null;
  readonly medias: readonly MediaData[];
}

/** What a message says about a file it carries. */
export interface MediaData {
  readonly sid: string;
  readonly category: MediaCategory;
  readonly filename: string | null;
  readonly contentType: string;
  readonly size: number;
}

/** What a file is for. Only Conversations has other ones than `media`. */
export type MediaCategory = 'media' | 'body' | 'history';

/** An uploaded file. */
export interface Media {
  readonly sid: string;
  readonly author: string;
  readonly category: MediaCategory;
  filename: string | null;
  contentType: string;
  bytes: Uint8Array;
  readonly dateCreated: string;
  dateUpdated: string;
}

/** Data of a channel's document. No text of any message is ever here. */
export interface ChannelData {
  readonly sid: string;
  readonly type: 'private' | 'public';
  readonly uniqueName: string | null;
  readonly friendlyName: string | null;
  readonly attributes: string;
  readonly createdBy: string;
  readonly dateCreated: string;
  readonly dateUpdated: string;
  readonly messages: string;
  readonly roster: string;
  readonly state: { readonly current: 'active'; readonly dateUpdated: string };
  readonly lastMessage: { readonly index: number; readonly timestamp: string } | null;
}

/** Data of an item of a channel's roster. */
export interface RosterData {
  readonly identity: string;
  readonly type: 'chat';
  readonly roleSid: string;
  readonly attributes: string;
  readonly lastConsumedMessageIndex: number | null;
  readonly lastConsumptionTimestamp: string | null;
  readonly dateCreated: string;
  readonly dateUpdated: string;
  readonly userInfo: string;
}

/** Data of an item of a user's map of channels. */
export interface MyChannelData {
  readonly channelSid: string;
  readonly status: 'joined' | 'invited';
  readonly type: 'private' | 'public';
  readonly channel: string;
  readonly messages: string;
  readonly roster: string;
  readonly lastConsumedMessageIndex: number | null;
  readonly notificationLevel: 'default' | 'muted';
  readonly uniqueName: string | null;
  readonly friendlyName: string | null;
  readonly attributes: string;
  readonly createdBy: string;
  readonly dateCreated: string;
  readonly dateUpdated: string;
}

/** Data of an item of a user's info map. */
export type UserInfoData =
  { readonly value: string | null } | { readonly online: boolean; readonly notifiable: boolean };

/** Sends something to all of an identity's connections, outside Sync. */
export type Notify = (identity: string, messageType: string, payload: object) => void;

/** Everything the chat service holds, and what it works with. */
export interface Chat {
  readonly sync: Sync;
  readonly notify: Notify;
  /** The time, as Twilio writes it. */
  readonly today: () => string;
  readonly channels: Map<string, Channel>;
  readonly channelsByName: Map<string, Channel>;
  readonly users: Map<string, User>;
  /** By sid. A file stays when its message goes. */
  readonly media: Map<string, Media>;
  readonly roles: { readonly channelUser: string; readonly channelAdmin: string };
}
