/** Slots: how a message key reaches each recipient. Those of suite 1, X25519, and how all are opened. */
import { pace } from '../pace.ts';
import type { Soon } from '../soon.ts';
import { uint } from './bytes.ts';
import { curves, type AgreementKey } from './curves.ts';
import type { KemKey } from './kem.ts';
import type { Slots } from './header.ts';
import { concat, hex, xor, type Bytes, type RandomSource } from './primitives.ts';
import { checkRecipients, findMarked, hint, mask, slotKey, type SlotSealer } from './slot-parts.ts';
import { openXWingSlots } from './slot-xwing.ts';

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

/** A recipient's private keys, and where the slot keys they agreed on are kept (a bounded map). */
export interface SlotOpener {
  readonly key: AgreementKey;
  /** X-Wing, for suite 2: who has none has no slot there. */
  readonly pqKey?: KemKey;
  /** Of suite 1, by hexadecimal ephemeral key of a sender. Filled by the caller, after verification. */
  readonly slotKeys: ReadonlyMap<string, Bytes>;
}

// The page can draw between them: to ask WebCrypto takes time, too.
const AGREED_AT_ONCE = 32;

/**
 * Slots of suite 1, one for each recipient, in the order given: 36 bytes each.
 * @param recipients distinct X25519 public keys of checked cards, 1 to 4096
 * @throws EncryptionError `INVALID_ARGUMENT` for none or the same twice, `TOO_MANY_RECIPIENTS`
 */
export function x25519Slots(ephemeral: Ephemeral, recipients: readonly Bytes[]): SlotSealer {
  const names = checkRecipients(recipients);
  const { publicKey } = ephemeral.key;

  async function agree(recipient: Bytes, name: string): Promise<void> {
    ephemeral.slotKeys.set(name, slotKey(await ephemeral.key.agree(recipient)));
  }

  return {
    suite: 1,
    async seal(messageKey, nonce) {
      const slots: Bytes[] = [];
      for (let at = 0; at < recipients.length; at += AGREED_AT_ONCE) {
        const some = recipients.slice(at, at + AGREED_AT_ONCE);
        const named = some.map((key, index) => ({ key, name: names[at + index] ?? '' }));
        // Not one promise for each of those that nothing has to be waited for.
        const fresh = named.filter(({ name }) => !ephemeral.slotKeys.has(name));
        await Promise.all(fresh.map(({ key, name }) => agree(key, name)));
        for (const { key, name } of named) {
          const kek = ephemeral.slotKeys.get(name);
          if (!kek) throw new TypeError('A slot key was forgotten.');
          // HPKE (RFC 9180 §4.1) likewise binds both public keys into the derivation.
          const keyMask = mask(kek, nonce, publicKey, key);
          slots.push(concat(hint(nonce, key), xor(messageKey, keyMask)));
        }
        if (slots.length < recipients.length) await pace();
      }
      return concat(publicKey, uint(slots.length, 2), ...slots);
    },
  };
}

/** What an own slot may hold: the commitment decides which candidate is the message key. */
export interface SlotCandidates {
  readonly messageKeys: readonly Bytes[];
  /** Of suite 1. To be kept for the next envelope under this ephemeral, once this one is verified. */
  readonly slotKey?: Bytes;
}

/**
 * The message keys in the slots that are marked as this recipient's; null when there are none. At once when
 * the slot key is known.
 * @throws EncryptionError `INVALID_KEY` when an X25519 key in them is not canonical or of low order
 */
export function openSlots(slots: Slots, opener: SlotOpener): Soon<SlotCandidates | null> {
  return slots.suite === 1 ? openX25519Slots(slots, opener) : openPostQuantumSlots(slots, opener);
}

async function openPostQuantumSlots(
  slots: Slots,
  { pqKey }: SlotOpener,
): Promise<SlotCandidates | null> {
  const messageKeys = pqKey ? await openXWingSlots(slots, pqKey) : null;
  return messageKeys && { messageKeys };
}

function openX25519Slots(slots: Slots, { key, slotKeys }: SlotOpener): Soon<SlotCandidates | null> {
  const { nonce, ephemeralKey } = slots;
  const marked = findMarked(slots, key.publicKey);
  if (marked.length === 0) return null;
  const openWith = (kek: Bytes): SlotCandidates => {
    const keyMask = mask(kek, nonce, ephemeralKey, key.publicKey);
    return { messageKeys: marked.map((wrapped) => xor(wrapped, keyMask)), slotKey: kek };
  };
  const known = slotKeys.get(hex.encode(ephemeralKey));
  return known ? openWith(known) : key.agree(ephemeralKey).then(slotKey).then(openWith);
}
