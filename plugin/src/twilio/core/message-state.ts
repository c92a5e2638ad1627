import type { MessageEncryption } from '../../client/message-encryption.ts';
import type { ReceivedMessage } from '../../client/judged.ts';
import type { OutgoingContent } from '../../client/outlet.ts';
import type { Json } from '../../protocol/content.ts';
import type { Identity } from '../../protocol/identifiers.ts';
import type { FileShelf, IncomingFile } from './incoming-files.ts';
import type { PortFile } from './sdk.ts';

/** What is known of a message, for its facade. Reads are of now: it may be opened again. */
export interface MessageState<File extends PortFile> {
  readonly received: ReceivedMessage;
  /** Whether the application has it from Twilio as it is. */
  readonly isClear: boolean;
  /** Who signed it, if it is verified: beside their words nobody else is named. */
  readonly signer: Identity | null;
  /** Whether the sender sent files. */
  readonly type: 'text' | 'media';
  /** The sender's words, or fixed words in their place. */
  readonly body: string;
  readonly attributes: Json;
  readonly subject: string | null;
  /** What is there of the sender's files. */
  readonly files: readonly IncomingFile<File>[];
  /** Encrypts the message again with these parts replaced, and posts it in its place. */
  edit(changes: OutgoingContent): Promise<void>;
}

/**
 * The state of a message.
 * @param received what was found when it was last opened
 */
export function messageState<File extends PortFile>(
  received: () => ReceivedMessage,
  shelf: FileShelf<File>,
  edit: (changes: OutgoingContent) => Promise<void>,
): MessageState<File> {
  return {
    edit,
    get received() {
      return received();
    },
    get isClear() {
      return received().encryption.status === 'clear';
    },
    get signer() {
      const { encryption } = received();
      return encryption.status === 'verified' ? encryption.sender.identity : null;
    },
    get type() {
      return received().content.media ? 'media' : 'text';
    },
    get body() {
      const { encryption, content } = received();
      return encryption.status === 'verified' ? (content.body ?? '') : placeholder(encryption);
    },
    get attributes() {
      const { attributes } = received().content;
      // As the SDKs; null is a value that the sender chose.
      return attributes === undefined ? {} : attributes;
    },
    get subject() {
      return received().content.subject ?? null;
    },
    get files() {
      return shelf.files;
    },
  };
}

// Stands where the body would: fixed words, so that an application which does not look at
// `encryption` shows no text that somebody else chose.
function placeholder(encryption: Exclude<MessageEncryption, { status: 'verified' }>): string {
  return `[${encryption.status}: ${encryption.code}]`;
}
