/**
 * What the core needs of an SDK: a channel of twilio-chat, or a conversation of Conversations, is a
 * channel here. The adapters beside this folder supply it; nothing in here knows either SDK.
 */
import type { MessageState } from './message-state.ts';
import type { Paginator } from './paginator.ts';

/** A member as the SDK's roster shows them. */
export interface PortMember {
  readonly identity: string | null;
  readonly dateCreated: Date | null;
}

/** A file of a message, as Twilio has it. */
export interface PortFile {
  readonly sid: string;
  /** Bytes, by what Twilio says. */
  readonly size: number;
  /** The address changes with every call. */
  getContentTemporaryUrl(): Promise<string | null>;
}

/** A message as the SDK shows it; every part is Twilio's claim. */
export interface PortMessage {
  readonly sid: string;
  readonly index: number;
  readonly author: string;
  /** Where the envelope stands; empty when there is nothing. */
  readonly text: string;
  readonly attributes: unknown;
  readonly files: readonly PortFile[];
  readonly dateCreated: Date | null;
  readonly dateUpdated: Date | null;
}

/** What tells of the messages of a channel. */
export interface MessageListeners<Message> {
  readonly added: (message: Message) => void;
  readonly updated: (message: Message, updateReasons: readonly string[]) => void;
  readonly removed: (message: Message) => void;
}

/** What the core reads of a message that the application gets. */
export interface Readable {
  readonly body: string | null;
  readonly attributes: unknown;
}

/** What the application gets instead of a message. */
export interface MessageFacade<Message> {
  readonly facade: Message;
  /** Tells the message's own listeners. */
  emitUpdated(updateReasons: readonly string[]): void;
}

/** A channel of an SDK. `Message` is the SDK's class. */
export interface ChannelPort<Message extends Readable> {
  readonly sid: string;
  members(): Promise<readonly PortMember[]>;
  /** The page of messages that ends with the one at `anchor`, or with the last one. */
  page(size: number, anchor?: number): Promise<Paginator<Message>>;
  /** Posts a text message, and gives its index. */
  post(text: string): Promise<number>;
  /** Posts a message with a file, and gives its index. */
  postFile(file: string, attributes: Readonly<Record<string, string>>): Promise<number>;
  /** Has the listeners told; at once of the last message that was added, if there was one. */
  listen(listeners: MessageListeners<Message>): void;
  read(message: Message): PortMessage;
  /** Puts another envelope into a message's place. */
  replace(message: Message, text: string): Promise<void>;
  facade(message: Message, state: MessageState): MessageFacade<Message>;
}
