import type { Media, Message } from 'twilio-chat';
import { findEnvelope } from '../core/envelope-place.ts';
import type { PortMessage } from '../core/sdk.ts';

/** What Twilio says of a message. */
export function readMessage(message: Message): PortMessage<Media> {
  const { sid, index, author, type, attributes, dateCreated, dateUpdated } = message;
  return {
    sid,
    index,
    author,
    // This SDK sends no text beside a file.
    ...findEnvelope(bodyOf(message), type === 'media' ? attributes : null),
    attributes,
    files: filesOf(message),
    dateCreated,
    dateUpdated,
  };
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
