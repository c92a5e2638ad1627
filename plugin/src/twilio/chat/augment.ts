import type { MessageEncryption } from '../../client/message-encryption.ts';

declare module 'twilio-chat' {
  interface Message {
    /** What is known of the message; only on messages of a wrapped client or channel. */
    readonly encryption: MessageEncryption;
  }
}
