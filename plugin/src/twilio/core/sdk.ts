/** What the core reads of the SDKs' objects, and gives them. */
import type { Json } from '../../protocol/content.ts';

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

/** Where an envelope stands in a message. */
export type EnvelopePlace = 'body' | 'attributes';

/** A message as the SDK shows it; every part is Twilio's claim. */
export interface PortMessage<File extends PortFile = PortFile> {
  readonly sid: string;
  readonly index: number;
  readonly author: string;
  /** The envelope; empty when there is nothing. */
  readonly text: string;
  readonly place: EnvelopePlace;
  readonly attributes: unknown;
  readonly files: readonly File[];
  readonly dateCreated: Date | null;
  readonly dateUpdated: Date | null;
}

/** Attributes that Twilio sees. */
export type ClearAttributes = Readonly<Record<string, Json>>;

/** What Twilio gets beside an envelope. */
export interface Beside {
  readonly attributes: ClearAttributes;
  /** Encrypted files. */
  readonly uploads: readonly Upload[];
}

/** What tells of the messages of a channel. */
export interface MessageListeners<Message> {
  readonly added: (message: Message) => void;
  readonly updated: (message: Message, updateReasons: readonly string[]) => void;
  readonly removed: (message: Message) => void;
}

/** What the core reads and edits of an SDK's message. */
export interface Readable {
  readonly body: string | null;
  readonly attributes: unknown;
  updateBody(body: string): Promise<unknown>;
  updateAttributes(attributes: ClearAttributes): Promise<unknown>;
}

/** What the SDKs upload. Browsers send a form; in Node the SDKs take bytes only. */
export type Upload = FormData | { readonly contentType: string; readonly media: Buffer };
