import type { Item } from '../sync/entity.ts';
import type { DeliverySummary, Outsider } from './outside.ts';

/** What the Sync entities hold: it is what clients read. */

/** A stored message: the data of an item of the channel's message list. */
export interface MessageData {
  readonly sid: string;
  readonly author: string;
  readonly memberSid: string | null;
  /** Null if the message was sent without one, as files mostly are. */
  readonly text: string | null;
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
  /** Absent if it is not sent on to anybody. */
  readonly delivery?: DeliverySummary;
  /** Is there more known of how it came, from outside? */
  readonly channelMetadata?: boolean;
  /** The template it was made of. */
  readonly contentSid: string | null;
}

/** A message in its place: `key` is its index. */
export type Message = Item<number, MessageData>;

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
  /** Null if it is somebody outside. */
  readonly identity: string | null;
  readonly type: 'chat' | Outsider['type'];
  readonly roleSid: string;
  readonly attributes: string;
  readonly lastConsumedMessageIndex: number | null;
  readonly lastConsumptionTimestamp: string | null;
  readonly dateCreated: string;
  readonly dateUpdated: string;
  readonly userInfo: string | null;
  /** Of those who are reached by email. */
  readonly bindings?: Readonly<Record<'email', object>>;
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
