/**
 * What the core needs of an SDK: a channel of twilio-chat, or a conversation of Conversations, is a
 * channel here. The adapters beside this folder supply it; nothing in here knows either SDK.
 */
import type { MessageState } from './message-state.ts';
import type { Paginator } from './paginator.ts';
import type { Roster } from './roster.ts';
import type {
  Beside,
  ClearAttributes,
  MessageListeners,
  PortFile,
  PortMessage,
  Readable,
  Upload,
} from './sdk.ts';

/** What the application gets instead of a message. */
export interface MessageFacade<Message> {
  readonly facade: Message;
  /** Tells the message's own listeners. */
  readonly emitUpdated: (updateReasons: readonly string[]) => void;
}

/** A channel of an SDK. `Message` and `File` are the SDK's classes. */
export interface ChannelPort<
  Message extends Readable = Readable,
  File extends PortFile = PortFile,
> extends Roster {
  readonly sid: string;
  /** The page of messages that ends with the one at `anchor`, or with the last one. */
  page(size: number, anchor?: number): Promise<Paginator<Message>>;
  /** The longest envelope that such a message holds, in characters. */
  limit(beside: Beside): number;
  /**
   * Uploads what a message is to have beside it, if the SDK can do that without posting one: the later
   * post with the very same `beside` does not upload it again, however often it is tried.
   * @param signal gives it up
   */
  upload(beside: Beside, signal?: AbortSignal): Promise<void>;
  /** Posts an envelope, and gives the message's index. */
  post(text: string, beside: Beside): Promise<number>;
  /** Posts a message that is nothing but this file, and gives its index. */
  postFile(file: Upload, attributes: ClearAttributes): Promise<number>;
  /** Has the listeners told; at once of the last message that was added, if there was one. */
  listen(listeners: MessageListeners<Message>): void;
  read(message: Message): PortMessage<File>;
  facade(message: Message, state: MessageState<File>): MessageFacade<Message>;
}
