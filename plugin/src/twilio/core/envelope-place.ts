/**
 * Where an envelope stands in a message: it is the body, or, beside a file in a message of
 * twilio-chat, which sends no text with a file, one of the attributes.
 */
import type { ClearAttributes, EnvelopePlace, Readable } from './sdk.ts';

/** The name of the attribute that holds the envelope, or a hint. */
export const ENVELOPE_ATTRIBUTE = 'e2e';
/** Tells readers to load the file at once. A hint: what hides a key message is its signature. */
export const KEY_ATTRIBUTES = { [ENVELOPE_ATTRIBUTE]: 'key' } as const;

// Twilio's limits, for both SDKs. Of a body, in bytes of UTF-8 (error 50504).
const MAX_BODY_BYTES = 32 * 1024;
// Of a message's attributes, in bytes of their JSON.
const MAX_ATTRIBUTES_BYTES = 4096;

/**
 * The envelope of a message, or '' when it has none.
 * @param attributes any JSON, whatever the SDKs' types say
 */
export function findEnvelope(
  body: string,
  attributes: unknown,
): { readonly text: string; readonly place: EnvelopePlace } {
  const among = attributeOf(attributes);
  if (body !== '' || typeof among !== 'string' || isKeyHint(attributes)) {
    return { text: body, place: 'body' };
  }
  return { text: among, place: among === '' ? 'body' : 'attributes' };
}

/** Whether these attributes say that the file beside them is a key message. */
export function isKeyHint(attributes: unknown): boolean {
  return attributeOf(attributes) === KEY_ATTRIBUTES[ENVELOPE_ATTRIBUTE];
}

/** The longest envelope that fits there, in characters, beside these attributes. */
export function envelopeLimit(place: EnvelopePlace, attributes: ClearAttributes): number {
  if (place === 'body') return MAX_BODY_BYTES;
  const json = JSON.stringify({ ...attributes, [ENVELOPE_ATTRIBUTE]: '' });
  return MAX_ATTRIBUTES_BYTES - new TextEncoder().encode(json).length;
}

/** Puts another envelope into a message, and these attributes beside it. */
export async function replaceEnvelope(
  message: Readable,
  place: EnvelopePlace,
  text: string,
  attributes: ClearAttributes,
): Promise<void> {
  if (place === 'attributes') {
    await message.updateAttributes({ ...attributes, [ENVELOPE_ATTRIBUTE]: text });
    return;
  }
  await message.updateBody(text);
  if (JSON.stringify(message.attributes) !== JSON.stringify(attributes)) {
    await message.updateAttributes({ ...attributes });
  }
}

function attributeOf(attributes: unknown): unknown {
  return typeof attributes === 'object' && attributes !== null
    ? Reflect.get(attributes, ENVELOPE_ATTRIBUTE)
    : undefined;
}
