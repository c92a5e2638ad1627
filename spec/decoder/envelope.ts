/** The core of all envelopes, from their bytes to a decrypted plaintext: envelope.md. */
import { createDecipheriv } from 'node:crypto';
import { expand, extract, isPadded, L, Reader, Refused, require, sha256, xor } from './bytes.ts';
import { isSignature, x25519, x25519Public, xwing } from './curves.ts';

/** The bytes of an envelope, taken apart. */
export interface Envelope {
  readonly type: number;
  readonly suite: number;
  readonly nonce: Buffer;
  /** Suite 1. */
  readonly ephemeralKey: Buffer;
  readonly slots: readonly Buffer[];
  /** Of a follower. */
  readonly sessionId: Buffer;
  readonly headerHash: Buffer;
  readonly commitment: Buffer;
  readonly ciphertext: Buffer;
}

const NONE = Buffer.alloc(0);

/** Takes an envelope apart. */
export function parseEnvelope(bytes: Buffer): Envelope {
  const reader = new Reader(bytes);
  const [version, type = 0, suite = 0, flags] = reader.take(4);
  const known = version === 1 && type >= 1 && type <= 4 && (suite === 1 || suite === 2);
  require(known, 'UNSUPPORTED_VERSION');
  require(flags === 0, 'MALFORMED');
  const nonce = reader.take(16);
  const follower = type === 2;
  const sessionId = follower ? reader.take(16) : NONE;
  if (follower) reader.take(4);
  const ephemeralKey = !follower && suite === 1 ? reader.take(32) : NONE;
  const slots = follower ? [] : takeSlots(reader, suite === 1 ? 36 : 1156);
  const headerHash = sha256(L('header'), bytes.subarray(0, reader.offset));
  const commitment = reader.take(32);
  const ciphertext = reader.rest();
  require(ciphertext.length >= 64 + 16, 'MALFORMED');
  return { type, suite, nonce, ephemeralKey, slots, sessionId, headerHash, commitment, ciphertext };
}

function takeSlots(reader: Reader, length: number): readonly Buffer[] {
  const count = reader.uint(2);
  require(count >= 1 && count <= 4096, 'MALFORMED');
  return Array.from({ length: count }, () => reader.take(length));
}

/** Who reads. */
export interface ReaderKeys {
  readonly encryptionSecret: Buffer;
  /** Of suite 2. */
  readonly pqSeed: Buffer | null;
}

/** The message keys that slots may hold for this reader; refused as NOT_ADDRESSED when none does. */
export function openSlots(envelope: Envelope, keys: ReaderKeys): readonly Buffer[] {
  const opener = envelope.suite === 1 ? slotOpener1(envelope, keys) : slotOpener2(envelope, keys);
  if (!opener) throw new Refused('NOT_ADDRESSED');
  const hint = sha256(L('hint'), envelope.nonce, opener.publicKey).subarray(0, 4);
  const marked = envelope.slots.filter((slot) => slot.subarray(0, 4).equals(hint)).slice(0, 4);
  require(marked.length > 0, 'NOT_ADDRESSED');
  return marked.map((slot) => opener.open(slot.subarray(4)));
}

interface SlotOpener {
  readonly publicKey: Buffer;
  readonly open: (slot: Buffer) => Buffer;
}

function slotOpener1({ nonce, ephemeralKey }: Envelope, keys: ReaderKeys): SlotOpener {
  const publicKey = x25519Public(keys.encryptionSecret);
  return {
    publicKey,
    open: (wrapped) => {
      const shared = x25519(keys.encryptionSecret, ephemeralKey);
      require(shared !== null, 'MALFORMED');
      return xor(wrapped, mask(shared, [nonce, ephemeralKey, publicKey]));
    },
  };
}

function slotOpener2({ nonce }: Envelope, { pqSeed }: ReaderKeys): SlotOpener | null {
  if (!pqSeed) return null;
  const key = xwing(pqSeed);
  return {
    publicKey: key.publicKey,
    open: (slot) => {
      const [ciphertext, wrapped] = [slot.subarray(0, 1120), slot.subarray(1120)];
      const shared = key.open(ciphertext);
      require(shared !== null, 'MALFORMED');
      return xor(wrapped, mask(shared, [nonce, sha256(ciphertext), sha256(key.publicKey)]));
    },
  };
}

function mask(shared: Buffer, info: readonly Buffer[]): Buffer {
  return expand(extract('slot', shared), 'slot', info, 32);
}

/** A decrypted plaintext, not verified yet. */
export interface Plaintext {
  readonly messageKey: Buffer;
  /** Reads behind the signature. */
  readonly reader: Reader;
  /** Whether zeros as they should be follow what was read. */
  isPadded: () => boolean;
  /** Whether the holder of this key signed what was read, for this header. */
  isSignedBy: (key: Uint8Array) => boolean;
}

/** Decrypts under the one of these message keys that the envelope commits to. */
export function decrypt(
  purpose: 'message' | 'sealed',
  { headerHash, commitment, ciphertext }: Envelope,
  messageKeys: readonly Buffer[],
): Plaintext {
  for (const messageKey of messageKeys) {
    const both = expand(extract(purpose, messageKey), 'key', [headerHash], 64);
    if (!both.subarray(32).equals(commitment)) continue;
    const aad = Buffer.concat([headerHash, commitment]);
    const plaintext = aead(both.subarray(0, 32), Buffer.alloc(12), ciphertext, aad);
    require(plaintext !== null, 'DECRYPTION_FAILED');
    const reader = new Reader(plaintext);
    const signature = reader.take(64);
    return {
      messageKey,
      reader,
      isPadded: () => isPadded(plaintext, reader.offset),
      isSignedBy: (key) => {
        const said = plaintext.subarray(64, reader.offset);
        return isSignature(key, signature, Buffer.concat([L(purpose), headerHash, said]));
      },
    };
  }
  throw new Refused('COMMITMENT_MISMATCH');
}

/** ChaCha20-Poly1305; null when the tag does not match. */
export function aead(
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  associated: Uint8Array = NONE,
): Buffer | null {
  if (ciphertext.length < 16) return null;
  const end = ciphertext.length - 16;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAAD(associated, { plaintextLength: end });
  decipher.setAuthTag(ciphertext.subarray(end));
  try {
    return Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()]);
  } catch {
    return null;
  }
}
