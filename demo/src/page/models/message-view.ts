import type { Message } from 'twilio-chat';
import type { MessageEncryption } from 'twilio-chat-encryption';

/** A message as it was when it was looked at: the SDK's own objects change in place. */
export interface MessageView {
  readonly sid: string;
  readonly index: number;
  /** Twilio's claim. Only a verified message proves its sender. */
  readonly author: string;
  /** Empty unless verified. */
  readonly body: string;
  /** By Twilio's clock. */
  readonly date: Date;
  readonly encryption: MessageEncryption;
}

/** Takes a picture of a wrapped message. */
export function viewOf(message: Message): MessageView {
  const { sid, index, author, encryption } = message;
  const body = encryption.status === 'verified' ? message.body : '';
  return { sid, index, author, body, date: validDate(message.dateCreated), encryption };
}

// Twilio's claims may be anything at all, and a date that is none cannot be shown.
function validDate(date: Date): Date {
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}
