import type { Sync } from '../sync/store.ts';
import type { SyncDocument, SyncList, SyncMap } from '../sync/entity.ts';
import type {
  MessageData,
  MediaCategory,
  ChannelData,
  RosterData,
  MyChannelData,
  UserInfoData,
} from './data.ts';
import type { ChannelMetadata, ContentTemplate, Delivery, Outsider } from './outside.ts';

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
  /** By sid. */
  readonly outsiders: Map<string, Outsider>;
  /** By the sid of the message. */
  readonly deliveries: Map<string, readonly Delivery[]>;
  /** By the sid of the message. */
  readonly metadata: Map<string, ChannelMetadata>;
  readonly document: SyncDocument<ChannelData>;
  readonly messages: SyncList<MessageData>;
  readonly roster: SyncMap<RosterData>;
}

/** What a member may do in a channel, by the names Twilio gives the default roles. */
export type Role = 'channelUser' | 'channelAdmin';

/** Someone who has joined a channel (Conversations: a participant). */
export interface Member {
  readonly sid: string;
  readonly identity: string;
  roleSid: string;
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
  /** Has the user a connection? */
  online: boolean;
  /** The channels the user is in or invited to. */
  readonly channels: SyncMap<MyChannelData>;
  readonly info: SyncMap<UserInfoData>;
}

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

/** A device that wants push notifications: at Twilio, a binding. */
export interface Registration {
  readonly id: string;
  readonly identity: string;
  /** Firebase or Apple. */
  readonly channelType: 'fcm' | 'apn';
  /** What Firebase or Apple knows the device by. */
  readonly address: string;
  /** What it wants to hear of, for example `twilio.channel.new_message`. */
  messageTypes: readonly string[];
  readonly dateCreated: string;
}

/** A push notification that Twilio would have given to Firebase or Apple. */
export interface SentPush {
  readonly identity: string;
  readonly channelType: Registration['channelType'];
  readonly address: string;
  /** What the device gets, and hands to the SDK's `handlePushNotification`. */
  readonly payload: Readonly<Record<string, unknown>>;
}

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
  /** By id. */
  readonly registrations: Map<string, Registration>;
  readonly pushes: SentPush[];
  /** By sid. */
  readonly templates: Map<string, ContentTemplate>;
  /** The sids of the roles that members have. */
  readonly roles: Readonly<Record<Role, string>>;
}
