import type { MessageEncryption } from '../../client/message-encryption.ts';
import type { ReceivedMessage } from '../../client/judged.ts';
import type { OutgoingContent } from '../../client/outlet.ts';
import type { Json } from '../../protocol/content.ts';
import type { Identity } from '../../protocol/identifiers.ts';
import type { FileShelf, IncomingFile } from './incoming-files.ts';
import type { PortFile } from './sdk.ts';

/**
 * What is known of a message, for its facade. Reads are of now: it may be opened again. A class, as
 * there is one for each message.
 */
export class MessageState<File extends PortFile> {
  readonly #received: () => ReceivedMessage;
  readonly #shelf: FileShelf<File>;
  /** Encrypts the message again with these parts replaced, and posts it in its place. */
  readonly edit: (changes: OutgoingContent) => Promise<void>;

  /** @param received what was found when it was last opened */
  constructor(
    received: () => ReceivedMessage,
    shelf: FileShelf<File>,
    edit: (changes: OutgoingContent) => Promise<void>,
  ) {
    this.#received = received;
    this.#shelf = shelf;
    this.edit = edit;
  }

  get received(): ReceivedMessage {
    return this.#received();
  }

  /** Whether the application has it from Twilio as it is. */
  get isClear(): boolean {
    return this.received.encryption.status === 'clear';
  }

  /** Who signed it, if it is verified: beside their words nobody else is named. */
  get signer(): Identity | null {
    const { encryption } = this.received;
    return encryption.status === 'verified' ? encryption.sender.identity : null;
  }

  /** Whether the sender sent files. */
  get type(): 'text' | 'media' {
    return this.received.content.media ? 'media' : 'text';
  }

  /** The sender's words, or fixed words in their place. */
  get body(): string {
    const { encryption, content } = this.received;
    return encryption.status === 'verified' ? (content.body ?? '') : placeholder(encryption);
  }

  get attributes(): Json {
    const { attributes } = this.received.content;
    // As the SDKs; null is a value that the sender chose.
    return attributes === undefined ? {} : attributes;
  }

  get subject(): string | null {
    return this.received.content.subject ?? null;
  }

  /** What is there of the sender's files. */
  get files(): readonly IncomingFile<File>[] {
    return this.#shelf.files;
  }
}

// Stands where the body would: fixed words, so that an application which does not look at
// `encryption` shows no text that somebody else chose.
function placeholder(encryption: Exclude<MessageEncryption, { status: 'verified' }>): string {
  return `[${encryption.status}: ${encryption.code}]`;
}
