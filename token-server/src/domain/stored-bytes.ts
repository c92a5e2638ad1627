import { base64url, type Bytes } from 'twilio-chat-encryption/protocol';

/**
 * The bytes of a part of the log.
 *
 * @throws Error when they are none
 */
export function decodeStored(text: string): Bytes {
  const bytes = base64url.decode(text);
  if (bytes) return bytes;
  throw new Error('The log in the database is damaged');
}
