import { randomBytes, randomUUID } from 'node:crypto';

/**
 * A fresh string identifier: two letters for the kind and 32 hexadecimal digits,
 * https://www.twilio.com/docs/glossary/what-is-a-sid.
 */
export function newSid(kind: string): string {
  return kind + randomBytes(16).toString('hex');
}

/** An identifier of a frame: `TM` and a UUID. */
export function newFrameId(): string {
  return `TM${randomUUID()}`;
}
