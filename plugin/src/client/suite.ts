/** Which suite a device sends with, and which key of a card goes with it. */
import type { Card } from '../protocol/card.ts';
import type { Suite } from '../protocol/header.ts';
import type { Bytes } from '../protocol/primitives.ts';

/**
 * The suite of the device with this card. The card decides and not the option, which may be off the
 * next time: a card cannot be changed, so neither can a device fall back.
 */
export function suiteOf(own: Card): Suite {
  return own.pqEncryptionKey ? 2 : 1;
}

/** The key of a card that slots of this suite are for; undefined when it takes no part in it. */
export function encryptionKeyOf(card: Card, suite: Suite): Bytes | undefined {
  return suite === 1 ? card.encryptionKey : card.pqEncryptionKey;
}
