/** Slots: how a message key reaches each recipient. Suite 1, X25519. */
import { EncryptionError } from '../errors.ts';
import { uint } from './bytes.ts';
import { curves, type AgreementKey } from './curves.ts';
import { MAX_SLOTS, type Slots, type Suite } from './header.ts';
import {
  concat,
  expandKey,
  extractKey,
  hash,
  hex,
  xor,
  type Bytes,
  type RandomSource,
} from './primitives.ts';

const HINT_LENGTH = 4;
// Hints are 32 bits of a hash: two by accident are rare, five are somebody's attack on our time.
const MAX_TRIED_SLOTS = 4;

/** A sender's short-lived key pair, with the slot keys already agreed on under it. */
export interface Ephemeral {
  readonly key: AgreementKey;
  /** By hexadecimal encryption key of the recipient. */
  readonly slotKeys: Map<string, Bytes>;
}

/** A fresh ephemeral key. Its owner uses it for one channel, for a bounded time and number. */
export async function createEphemeral(random: RandomSource): Promise<Ephemeral> {
  return { key: await (await curves()).importAgreementKey(random(32)), slotKeys: new Map() };
}

/** A recipient's private key, and where the slot keys it agreed on are kept (a bounded map). */
export interface SlotOpener {
  readonly key: AgreementKey;
  /** By hexadecimal ephemeral key of a sender. Filled by the caller, after verification. */
  readonly slotKeys: ReadonlyMap<string, Bytes>;
}

function slotKey(shared: Bytes): Bytes {
  return extractKey('slot', shared);
}

function hint(nonce: Bytes, recipient: Bytes): Bytes {
  return hash('hint', nonce, recipient).slice(0, HINT_LENGTH);
}

// HPKE (RFC 9180 §4.1) likewise binds both public keys into the derivation. The mask is used once:
// the nonce is fresh for each envelope. No tag: the commitment authenticates what comes out.
function mask(kek: Bytes, nonce: Bytes, ephemeral: Bytes, recipient: Bytes): Bytes {
  return expandKey(kek, 'slot', [nonce, ephemeral, recipient], 32);
}

/** Makes the part of a header that brings a message key to recipients. */
export interface SlotSealer {
  readonly suite: Suite;
  /** The rest of a header, after its nonce. Errors as {@link x25519Slots} tells. */
  seal(messageKey: Bytes, nonce: Bytes): Promise<Bytes>;
}

/**
 * Slots of suite 1, one for each recipient, in the order given.
 * @param recipients distinct X25519 public keys of checked cards, 1 to 4096
 * @throws EncryptionError `INVALID_ARGUMENT` for none or the same twice, `TOO_MANY_RECIPIENTS`
 */
export function x25519Slots(ephemeral: Ephemeral, recipients: readonly Bytes[]): SlotSealer {
  const names = recipients.map((recipient) => hex.encode(recipient));
  checkRecipients(names);
  const { publicKey } = ephemeral.key;

  async function slotKeyOf(recipient: Bytes, name: string): Promise<Bytes> {
    const known = ephemeral.slotKeys.get(name);
    if (known) return known;
    const kek = slotKey(await ephemeral.key.agree(recipient));
    ephemeral.slotKeys.set(name, kek);
    return kek;
  }

  return {
    suite: 1,
    async seal(messageKey, nonce) {
      const slots = await Promise.all(
        recipients.map(async (recipient, index) => {
          const keyMask = mask(
            await slotKeyOf(recipient, names[index] ?? ''),
            nonce,
            publicKey,
            recipient,
          );
          return concat(hint(nonce, recipient), xor(messageKey, keyMask));
        }),
      );
      return concat(publicKey, uint(slots.length, 2), ...slots);
    },
  };
}

function checkRecipients(names: readonly string[]): void {
  if (names.length === 0 || new Set(names).size !== names.length) {
    throw new EncryptionError('INVALID_ARGUMENT', 'An envelope needs recipients, each one once.');
  }
  if (names.length > MAX_SLOTS) {
    throw new EncryptionError(
      'TOO_MANY_RECIPIENTS',
      `An envelope holds at most ${MAX_SLOTS} recipient cards; these are ${names.length}.`,
    );
  }
}

/** What an own slot may hold: the commitment decides which candidate is the message key. */
export interface SlotCandidates {
  readonly messageKeys: readonly Bytes[];
  /** To be kept for the next envelope under this ephemeral, once this one is verified. */
  readonly slotKey: Bytes;
}

/**
 * The message keys in the slots that are marked as this recipient's; null when there are none.
 * @throws EncryptionError `INVALID_KEY` when the ephemeral key is not canonical or of low order
 */
export async function openSlots(slots: Slots, opener: SlotOpener): Promise<SlotCandidates | null> {
  const { nonce, ephemeralKey } = slots;
  const recipient = opener.key.publicKey;
  const marked = findMarked(slots, hint(nonce, recipient));
  if (marked.length === 0) return null;
  const known = opener.slotKeys.get(hex.encode(ephemeralKey));
  const kek = known ?? slotKey(await opener.key.agree(ephemeralKey));
  const keyMask = mask(kek, nonce, ephemeralKey, recipient);
  return { messageKeys: marked.map((wrapped) => xor(wrapped, keyMask)), slotKey: kek };
}

/** What follows the hint in those slots that have this one. */
function findMarked({ slots, slotLength }: Slots, mark: Bytes): Bytes[] {
  const marked: Bytes[] = [];
  for (let at = 0; at < slots.length && marked.length < MAX_TRIED_SLOTS; at += slotLength) {
    if (mark.every((byte, index) => slots[at + index] === byte)) {
      marked.push(slots.slice(at + HINT_LENGTH, at + slotLength));
    }
  }
  return marked;
}

/**
 * How many slots are for none of these encryption keys. Hints are short: a slot of somebody else
 * counts as known once in 2^32 for each key.
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
