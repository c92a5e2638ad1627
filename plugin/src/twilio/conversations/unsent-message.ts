import type { UnsentMessage } from '@twilio/conversations';
import { cancellable } from '../core/cancellable.ts';
import { refusal } from '../core/facade.ts';
import type { OutgoingMessage } from '../core/message-sender.ts';
import type { UNSENT_RULES } from './rules.ts';

/** All that an unsent message has, by the table. */
type Known = Pick<UnsentMessage, keyof typeof UNSENT_RULES>;

/** Encrypts and posts a message that was prepared. */
export type SendPrepared = (
  unsent: UnsentMessage,
  message: () => OutgoingMessage,
  signal: AbortSignal,
) => Promise<number | null>;

/**
 * What a builder builds. Its fields may be written until it is sent; what they hold is encrypted then.
 * It holds nothing of the SDK's, whose own `send` would post them as they are.
 */
export function unsentMessage(raw: UnsentMessage, send: SendPrepared): UnsentMessage {
  // Of the SDK's class, without what that has inside.
  const blank = Object.create(Reflect.getPrototypeOf(raw)) as UnsentMessage;
  const self: UnsentMessage = Object.assign(blank, {
    attributes: {},
    mediaContent: [],
    emailOptions: {},
    send: () => cancellable((signal) => send(self, outgoingOf(self), signal)),
  });
  return self;
}

/**
 * What its fields say.
 * @throws EncryptionError `NOT_SUPPORTED_ENCRYPTED` for what Twilio would have to read
 */
function outgoingOf(unsent: Known): () => OutgoingMessage {
  const { text, attributes, mediaContent, emailOptions, contentSid, contentVariables } = unsent;
  const content = [...mediaContent];
  return () => {
    if (contentSid !== undefined || contentVariables !== undefined) {
      throw refusal('A message made of a content template');
    }
    if (content.some(([category]) => category !== 'media')) throw refusal('An e-mail');
    return {
      body: text,
      attributes,
      subject: emailOptions.subject,
      files: content.map(([, file]) => file),
    };
  };
}

/** Gives what was prepared to a message of the SDK's own, for a conversation that is not encrypted. */
export function copiedTo(raw: UnsentMessage, unsent: Known): UnsentMessage {
  const { text, attributes, mediaContent, emailOptions, contentSid, contentVariables } = unsent;
  return Object.assign(raw, {
    attributes,
    mediaContent,
    emailOptions,
    ...(text !== undefined && { text }),
    ...(contentSid !== undefined && { contentSid }),
    ...(contentVariables !== undefined && { contentVariables }),
  });
}
