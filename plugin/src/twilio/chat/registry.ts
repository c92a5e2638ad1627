/** What the facades of one device need of one another. Types only: the implementations import it. */
import type {
  Channel,
  ChannelDescriptor,
  Client,
  Media,
  Member,
  Message,
  User,
  UserDescriptor,
} from 'twilio-chat';
import type { IncomingFile } from '../core/incoming-files.ts';
import type { MessageFeed } from '../core/message-feed.ts';
import type { Wrapping } from '../core/wrapping.ts';

/** Facades by SDK object. */
export interface People {
  readonly member: (raw: Member) => Member;
  readonly user: (raw: User) => User;
  readonly userDescriptor: (raw: UserDescriptor) => UserDescriptor;
  readonly channelDescriptor: (raw: ChannelDescriptor) => ChannelDescriptor;
}

/** A channel's facade, and its opened messages for the client's listeners. */
export interface ChannelFeed {
  readonly facade: Channel;
  readonly messages: MessageFeed<Message>;
}

/** What facades need of one another: each SDK object has one facade for its life. */
export interface Wrappers extends Wrapping, People {
  readonly media: (file: IncomingFile<Media>) => Media;
  readonly client: (raw: Client) => Client;
  /** The client that a channel came from, for {@link checkSender}. */
  readonly cameFrom: (channel: Channel, client: Client) => void;
  /** Throws `INVALID_ARGUMENT` when the channel's client is signed in as somebody else. */
  readonly checkSender: (channel: Channel) => void;
  readonly channel: (raw: Channel) => Channel;
  /** What stands behind a channel's facade: its events, for the client's listeners. */
  readonly feed: (raw: Channel) => ChannelFeed;
}
