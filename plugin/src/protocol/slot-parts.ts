/** What the slots of all suites have in common. */
import { EncryptionError } from '../errors.ts';
import { MAX_SLOTS, type Slots, type Suite } from './header.ts';
import { expandKey, extractKey, hash, hex, type Bytes } from './primitives.ts';

/** The length of the hint that a slot begins with. */
const HINT_LENGTH = 4;
// Hints are 32 bits of a hash: two by accident are rare, five are somebody's attack on our time.
const MAX_TRIED_SLOTS = 4;

/** Makes the part of a header that brings a message key to recipients. */
export interface SlotSealer {
  readonly suite: Suite;
  /** The rest of a header, after its nonce. Errors as the function tells that made the sealer. */
  seal(messageKey: Bytes, nonce: Bytes): Promise<Bytes>;
}

/** The key of a slot, from what its sender and its recipient share. */
export function slotKey(shared: Bytes): Bytes {
  return extractKey('slot', shared);
}

/** What a recipient finds his slots by, and nobody else who does not know the key. */
export function hint(nonce: Bytes, recipient: Bytes): Bytes {
  return hash('hint', nonce, recipient).slice(0, HINT_LENGTH);
}

/**
 * What a message key is XORed with. The mask is used once: the nonce is fresh for each envelope. No
 * tag: the commitment authenticates what comes out.
 * @param sent names the sender's part of the exchange, 32 bytes
 * @param recipient names the recipient's key, 32 bytes
 */
export function mask(kek: Bytes, nonce: Bytes, sent: Bytes, recipient: Bytes): Bytes {
  return expandKey(kek, 'slot', [nonce, sent, recipient], 32);
}

/**
 * The recipients' names for {@link SlotSealer}, each one once.
 * @throws EncryptionError `INVALID_ARGUMENT` for none or the same twice, `TOO_MANY_RECIPIENTS`
 */
export function checkRecipients(recipients: readonly Bytes[]): readonly string[] {
  const names = recipients.map((recipient) => hex.encode(recipient));
  if (names.length === 0 || new Set(names).size !== names.length) {
    throw new EncryptionError('INVALID_ARGUMENT', 'An envelope needs recipients, each one once.');
  }
  if (names.length > MAX_SLOTS) {
    throw new EncryptionError(
      'TOO_MANY_RECIPIENTS',
      `An envelope holds at most ${MAX_SLOTS} recipient cards; these are ${names.length}.`,
    );
  }
  return names;
}

/** What follows the hint in the first slots that are marked as this recipient's, at most 4. */
export function findMarked({ nonce, slots, slotLength }: Slots, recipient: Bytes): Bytes[] {
  const mark = hint(nonce, recipient);
  const marked: Bytes[] = [];
  for (let at = 0; at < slots.length && marked.length < MAX_TRIED_SLOTS; at += slotLength) {
    if (mark.every((byte, index) => slots[at + index] === byte)) {
      marked.push(slots.slice(at + HINT_LENGTH, at + slotLength));
    }
  }
  return marked;
}

/**
 * How many slots are for none of these encryption keys, which must be of the slots' suite. Hints are
 * short: a slot of somebody else counts as known once in 2^32 for each key.
 */
export function countUnknownSlots(
  { nonce, slots, slotLength }: Slots,
  known: Iterable<Bytes>,
): number {
  const hints = new Set(Array.from(known, (key) => hex.encode(hint(nonce, key))));
  let unknown = 0;
  for (let at = 0; at < slots.length; at += slotLength) {
    if (!hints.has(hex.encode(slots.subarray(at, at + HINT_LENGTH)))) unknown += 1;
  }
  return unknown;
}
