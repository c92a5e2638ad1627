import type { Media, Message } from 'twilio-chat';
import { ENVELOPE_ATTRIBUTE } from '../core/clear-attributes.ts';
import { KEY_ATTRIBUTES } from '../core/key-file.ts';
import type { PortMessage } from '../core/sdk.ts';

/** What Twilio says of a message. */
export function readMessage(message: Message): PortMessage<Media> {
  const { sid, index, author, attributes, dateCreated, dateUpdated } = message;
  return {
    sid,
    index,
    author,
    text: bodyOf(message) || envelopeAttribute(message),
    attributes,
    files: filesOf(message),
    dateCreated,
    dateUpdated,
  };
}

/** Whether the envelope of a message stands among its attributes. */
export function isInAttributes(message: Message): boolean {
  return bodyOf(message) === '' && envelopeAttribute(message) !== '';
}

function filesOf({ type, media }: Message): readonly Media[] {
  return type === 'media' && isThere(media) ? [media] : [];
}

// The SDK has none when Twilio says that there is one, but not which; its types do not say so.
function isThere(media: Media | null): media is Media {
  return media !== null;
}

// Of a message with a file the SDK gives null, although it has the text: Conversations sends both.
// The SDK's last release was in 2022, so what is inside stays.
function bodyOf(message: Message): string {
  const state: unknown = Reflect.get(message, 'state');
  const isState = typeof state === 'object' && state !== null;
  const body: unknown = isState ? Reflect.get(state, 'body') : message.body;
  return typeof body === 'string' ? body : '';
}

// This SDK sends no text beside a file. Attributes are any JSON, although its types say an object.
function envelopeAttribute({ type, attributes }: Message): string {
  const given: unknown = attributes;
  if (type !== 'media' || typeof given !== 'object' || given === null) return '';
  const text: unknown = Reflect.get(given, ENVELOPE_ATTRIBUTE);
  return typeof text === 'string' && text !== KEY_ATTRIBUTES.e2e ? text : '';
}
