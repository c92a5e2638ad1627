/** What the facades of one device need of one another. Types only: the implementations import it. */
import type {
  Client,
  Conversation,
  Media,
  Message,
  Participant,
  User,
} from '@twilio/conversations';
import type { IncomingFile } from '../core/incoming-files.ts';
import type { MessageFeed } from '../core/message-feed.ts';
import type { Wrapping } from '../core/wrapping.ts';

/** Facades by SDK object. */
export interface People {
  readonly participant: (raw: Participant) => Participant;
  readonly user: (raw: User) => User;
}

/** A conversation's facade, and its opened messages for the client's listeners. */
export interface ConversationFeed {
  readonly facade: Conversation;
  readonly messages: MessageFeed<Message>;
}

/** What facades need of one another: each SDK object has one facade for its life. */
export interface Wrappers extends Wrapping, People {
  readonly media: (file: IncomingFile<Media>) => Media;
  /**
   * A file of a message that was looked at.
   * @throws EncryptionError `FILE_UNREACHABLE` when Twilio gave the sid to different files
   */
  readonly knownMedia: (sid: string) => Media | undefined;
  readonly client: (raw: Client) => Client;
  /** The client that a conversation came from, for {@link checkSender}. */
  readonly cameFrom: (conversation: Conversation, client: Client) => void;
  /** Throws `INVALID_ARGUMENT` when the conversation's client is signed in as somebody else. */
  readonly checkSender: (conversation: Conversation) => void;
  readonly conversation: (raw: Conversation) => Conversation;
  /** What stands behind a conversation's facade: its events, for the client's listeners. */
  readonly feed: (raw: Conversation) => ConversationFeed;
}
