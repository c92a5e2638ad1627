/** Twilio's limits, for both SDKs. */
import type { ClearAttributes } from './sdk.ts';
import { ENVELOPE_ATTRIBUTE } from './clear-attributes.ts';

/** Of a message body, in bytes of UTF-8 (error 50504). */
export const MAX_BODY_BYTES = 32 * 1024;
// Of a message's attributes, in bytes of their JSON.
const MAX_ATTRIBUTES_BYTES = 4096;

/** How many characters of an envelope fit among a message's attributes, beside these. */
export function attributesLimit(attributes: ClearAttributes): number {
  const json = JSON.stringify({ ...attributes, [ENVELOPE_ATTRIBUTE]: '' });
  return MAX_ATTRIBUTES_BYTES - new TextEncoder().encode(json).length;
}
