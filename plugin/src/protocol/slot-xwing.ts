/** Slots of suite 2: for each recipient an encapsulation of X-Wing. Loads no library of ML-KEM. */
import { uint } from './bytes.ts';
import type { Kem, KemKey } from './kem.ts';
import type { Slots } from './header.ts';
import { concat, sha256, xor, type Bytes, type RandomSource } from './primitives.ts';
import { checkRecipients, findMarked, hint, mask, slotKey, type SlotSealer } from './slot-parts.ts';

const CIPHERTEXT_LENGTH = 1120;

/**
 * Slots of suite 2, one for each recipient, in the order given: 1156 bytes each.
 * @param kem X-Wing
 * @param recipients distinct X-Wing public keys of checked cards, 1 to 4096
 * @param random reaches both halves of X-Wing, or only X25519: see {@link Kem}
 * @throws EncryptionError `INVALID_ARGUMENT` for none or the same twice, `TOO_MANY_RECIPIENTS`
 */
export function xwingSlots(
  kem: Kem,
  recipients: readonly Bytes[],
  random: RandomSource,
): SlotSealer {
  checkRecipients(recipients);

  async function slotFor(recipient: Bytes, messageKey: Bytes, nonce: Bytes): Promise<Bytes> {
    const { ciphertext, sharedSecret } = await kem.encapsulate(recipient, random);
    const keyMask = maskOf(sharedSecret, nonce, ciphertext, recipient);
    return concat(hint(nonce, recipient), ciphertext, xor(messageKey, keyMask));
  }

  return {
    suite: 2,
    async seal(messageKey, nonce) {
      const slots: Bytes[] = [];
      // One after the other: thousands at once would hold up a page where ML-KEM is JavaScript.
      for (const recipient of recipients) slots.push(await slotFor(recipient, messageKey, nonce));
      return concat(uint(slots.length, 2), ...slots);
    },
  };
}

/**
 * The message keys in the slots that are marked as this recipient's, at most 4; null when there are
 * none. What was wrapped for somebody else, or changed, gives another key and no error.
 * @throws EncryptionError `INVALID_KEY` when the X25519 half of a ciphertext is not canonical or of
 * low order
 */
export async function openXWingSlots(slots: Slots, key: KemKey): Promise<readonly Bytes[] | null> {
  const messageKeys: Bytes[] = [];
  for (const marked of findMarked(slots, key.publicKey)) {
    const ciphertext = marked.slice(0, CIPHERTEXT_LENGTH);
    const sharedSecret = await key.decapsulate(ciphertext);
    const keyMask = maskOf(sharedSecret, slots.nonce, ciphertext, key.publicKey);
    messageKeys.push(xor(marked.slice(CIPHERTEXT_LENGTH), keyMask));
  }
  return messageKeys.length > 0 ? messageKeys : null;
}

// X-Wing leaves ML-KEM's ciphertext out of its secret, and its key too: both are bound here.
function maskOf(sharedSecret: Bytes, nonce: Bytes, ciphertext: Bytes, recipient: Bytes): Bytes {
  return mask(slotKey(sharedSecret), nonce, sha256(ciphertext), sha256(recipient));
}
