import { isEncryptionError, parseEnvelope } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';

/** What Twilio says of something that is about to happen, each parameter once. */
export type TwilioEvent = Readonly<Record<string, string>>;

/**
 * Events before a message is stored: Programmable Chat's, with and without files, and Conversations'.
 *
 * @see https://www.twilio.com/docs/chat/webhook-events
 * @see https://www.twilio.com/docs/conversations/conversations-webhooks
 */
const SENDING: ReadonlySet<string> = new Set([
  'onMessageSend',
  'onMediaMessageSend',
  'onMessageAdd',
]);
/** Before one is changed; in both products. */
const EDITING = 'onMessageUpdate';

/** Says that the file beside it is a key message: spec/session.md. */
const KEY_HINT = 'key';

const Attributes = z.object({ e2e: z.string() });

/**
 * Whether something that is about to happen in a service leaves it encrypted. What is not a message,
 * has happened already or is of another service of the account, is none of our business.
 *
 * It is a guard against applications that forget to encrypt, and proves nothing: a client that wants
 * to can put anything into an envelope.
 *
 * @param serviceSid - whose messages are encrypted
 */
export function staysEncrypted(event: TwilioEvent, serviceSid: string): boolean {
  const { EventType = '', Body = '', Attributes: attributes } = event;
  // Of Conversations and of Programmable Chat; webhooks of an account have those of all its services.
  const service = event['ChatServiceSid'] ?? event['InstanceSid'] ?? serviceSid;
  if (service !== serviceSid) return true;
  const isNew = SENDING.has(EventType);
  if (!isNew && EventType !== EDITING) return true;
  if (Body !== '') return isEnvelope(Body);
  const among = envelopeAmong(attributes);
  // Of an edit there is what changes: attributes beside an envelope may be in the clear.
  if (among === '') return !isNew;
  return among === KEY_HINT || isEnvelope(among);
}

/** Beside a file, twilio-chat sends no text, and the envelope is one of the attributes: spec/media.md. */
function envelopeAmong(attributes = '{}'): string {
  try {
    return Attributes.safeParse(JSON.parse(attributes)).data?.e2e ?? '';
  } catch {
    return '';
  }
}

function isEnvelope(text: string): boolean {
  try {
    return parseEnvelope(text).type !== 'sealed';
  } catch (error) {
    if (isEncryptionError(error)) return false;
    throw error;
  }
}
