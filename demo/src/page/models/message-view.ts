import type { Media, Message } from 'twilio-chat';
import type { MessageEncryption } from 'twilio-chat-encryption';

/** A message as it was when it was looked at: the SDK's own objects change in place. */
export interface MessageView {
  readonly sid: string;
  readonly index: number;
  /** Twilio's claim. Only a verified message proves its sender. */
  readonly author: string;
  /** Empty unless verified, and with a file. */
  readonly body: string;
  /** What a verified message has in place of a text; `missing` when Twilio does not have it. */
  readonly file: Media | 'missing' | null;
  /** By Twilio's clock. */
  readonly date: Date;
  readonly encryption: MessageEncryption;
}

/** Takes a picture of a wrapped message. */
export function viewOf(message: Message): MessageView {
  const { sid, index, author, encryption } = message;
  const isVerified = encryption.status === 'verified';
  const file = isVerified ? fileOf(message) : null;
  const body = isVerified && !file ? message.body : '';
  return { sid, index, author, body, file, date: validDate(message.dateCreated), encryption };
}

// The types of Twilio's SDK say that there always is a file.
function fileOf({
  type,
  media,
}: Pick<Message, 'type'> & { media: Media | null }): MessageView['file'] {
  return type === 'media' ? (media ?? 'missing') : null;
}

// Twilio's claims may be anything at all, and a date that is none cannot be shown.
function validDate(date: Date): Date {
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}
