/**
 * Envelopes of any form at all, made by the specification alone: what a malicious sender, or a
 * member who knows a message key, can make. Shares no code with the library but the one of the
 * algorithms.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, ED25519_TORSION_SUBGROUP, x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { ml_kem768_x25519 as hybrid } from '@noble/post-quantum/hybrid.js';
import { base64urlnopad } from '@scure/base';
import type { Bytes, RandomSource } from 'twilio-chat-encryption/protocol';

/** `L(x)`. */
export const L = (name: string): Uint8Array => utf8ToBytes(`twilio-chat-encryption/v1/${name}\0`);

/** A big-endian integer. */
export function uint(value: bigint | number, width: number): Uint8Array {
  return hexToBytes(
    BigInt(value)
      .toString(16)
      .padStart(2 * width, '0'),
  );
}

/** Zeros to the padded length. */
export function padded(bytes: Uint8Array, more = 0): Uint8Array {
  const block = Math.ceil(bytes.length / 256) * 256;
  const exponent = Math.floor(Math.log2(bytes.length));
  const step = 2 ** Math.max(0, exponent - Math.floor(Math.log2(exponent)) - 1);
  const length = Math.max(block, Math.ceil(bytes.length / step) * step);
  return concatBytes(bytes, new Uint8Array(length - bytes.length + more));
}

/** A slot that gives the holder of this public key the message key `wraps`. */
export interface CraftedSlot {
  readonly publicKey: Uint8Array;
  readonly wraps: Uint8Array;
}

/** The parts of a header, each of which may be wrong. */
export interface HeaderParts {
  readonly version?: number;
  readonly type?: number;
  readonly suite?: number;
  readonly flags?: number;
  /** What stands after the nonce; slots unless said otherwise. */
  readonly rest?: (nonce: Uint8Array) => Uint8Array;
  readonly slots?: readonly CraftedSlot[];
  /** The number of slots that the header tells. */
  readonly count?: number;
}

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  a.map((byte, index) => byte ^ (b[index] ?? 0));

function hint(nonce: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return sha256(concatBytes(L('hint'), nonce, publicKey)).slice(0, 4);
}

function mask(shared: Uint8Array, nonce: Uint8Array, sent: Uint8Array, key: Uint8Array) {
  const kek = extract(sha256, shared, L('slot'));
  return expand(sha256, kek, concatBytes(L('slot'), nonce, sent, key), 32);
}

function slots1(slots: readonly CraftedSlot[], nonce: Uint8Array, random: RandomSource) {
  const secret = random(32);
  const e = x25519.getPublicKey(secret);
  const each = slots.map(({ publicKey, wraps }) => {
    const shared = x25519.getSharedSecret(secret, publicKey);
    return concatBytes(hint(nonce, publicKey), xor(wraps, mask(shared, nonce, e, publicKey)));
  });
  return { before: e, each };
}

function slots2(slots: readonly CraftedSlot[], nonce: Uint8Array, random: RandomSource) {
  const each = slots.map(({ publicKey, wraps }) => {
    const { cipherText, sharedSecret } = hybrid.encapsulate(publicKey, random(64));
    const keyMask = mask(sharedSecret, nonce, sha256(cipherText), sha256(publicKey));
    return concatBytes(hint(nonce, publicKey), cipherText, xor(wraps, keyMask));
  });
  return { before: new Uint8Array(), each };
}

/** An envelope in the making: its header is there. */
export interface Craft {
  readonly headerHash: Uint8Array;
  /** What a signature covers: the label, the header's hash and `said`. */
  readonly toSign: (said: Uint8Array) => Bytes;
  /** The envelope with this plaintext under the message key `m`. */
  readonly seal: (m: Uint8Array, plaintext: Uint8Array) => Bytes;
}

/** An envelope with this header. */
export function craft(
  parts: HeaderParts,
  random: RandomSource,
  purpose: 'message' | 'sealed' = 'message',
): Craft {
  const { version = 1, type = 1, suite = 1, flags = 0, slots = [] } = parts;
  const nonce = random(16);
  const made = suite === 2 ? slots2(slots, nonce, random) : slots1(slots, nonce, random);
  const count = uint(parts.count ?? slots.length, 2);
  const rest = parts.rest?.(nonce) ?? concatBytes(made.before, count, ...made.each);
  const header = concatBytes(Uint8Array.of(version, type, suite, flags), nonce, rest);
  const hh = sha256(concatBytes(L('header'), header));
  return {
    headerHash: hh,
    toSign: (said) => new Uint8Array(concatBytes(L(purpose), hh, said)),
    seal(m, plaintext) {
      const both = expand(sha256, extract(sha256, m, L(purpose)), concatBytes(L('key'), hh), 64);
      const commitment = both.slice(32);
      const aead = chacha20poly1305(
        both.slice(0, 32),
        new Uint8Array(12),
        concatBytes(hh, commitment),
      );
      return new Uint8Array(concatBytes(header, commitment, aead.encrypt(plaintext)));
    },
  };
}

/** The text of an envelope. */
export const textOf = (bytes: Uint8Array): string => `e2e1.${base64urlnopad.encode(bytes)}`;

/** The bytes behind a text. */
export const bytesIn = (text: string): Bytes =>
  new Uint8Array(base64urlnopad.decode(text.slice('e2e1.'.length)));

/** The bytes with one of them changed; negative offsets count from the end. */
export function flipped(bytes: Uint8Array, at: number, bits = 1): Bytes {
  const copy = new Uint8Array(bytes);
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ bits;
  return copy;
}

/** The parts of what is signed about a message. */
export interface SaidParts {
  readonly channelSid: string;
  readonly senderCardId: Uint8Array;
  readonly messageId: Uint8Array;
  readonly kind: number;
  readonly target: Uint8Array;
  readonly sequence: bigint;
  readonly sentAt: bigint;
  readonly head: Uint8Array;
  readonly content: string | Uint8Array;
  /** What the length in front of the content says. */
  readonly contentLength?: number;
}

/** The bytes to be signed about a message. */
export function said(parts: SaidParts): Uint8Array {
  const sid = utf8ToBytes(parts.channelSid);
  const content = typeof parts.content === 'string' ? utf8ToBytes(parts.content) : parts.content;
  return concatBytes(
    uint(sid.length, 1),
    sid,
    parts.senderCardId,
    parts.messageId,
    uint(parts.kind, 1),
    parts.target,
    uint(parts.sequence, 8),
    uint(parts.sentAt, 8),
    parts.head,
    uint(parts.contentLength ?? content.length, 4),
    content,
  );
}

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
const TORSION = Point.fromHex(ED25519_TORSION_SUBGROUP[1] ?? '');
const TORSION_OF_ORDER = { 2: TORSION.double().double(), 4: TORSION.double(), 8: TORSION } as const;

/** All encodings of points of small order. */
export const SMALL_ORDER = ED25519_TORSION_SUBGROUP.map((encoded) => hexToBytes(encoded));

/** A little-endian integer of 32 bytes. */
export function littleEndian(value: bigint): Bytes {
  return new Uint8Array(uint(value, 32)).reverse();
}

function scalar(encoded: Uint8Array): bigint {
  return encoded.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** What is wrong with a signature. */
export type SignatureDefect = 'torsion in R' | 'S + order' | 'R is the identity';

/** A signature on `message` that verifies in some implementations and must verify in none. */
export function oddSignature(seed: Bytes, message: Uint8Array, defect: SignatureDefect): Bytes {
  const { scalar: secret, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  if (defect === 'S + order') {
    const signature = ed25519.sign(message, seed);
    const s = scalar(signature.slice(32)) + ORDER;
    return new Uint8Array(concatBytes(signature.slice(0, 32), littleEndian(s)));
  }
  const r = defect === 'torsion in R' ? 7n : 0n;
  const point = r === 0n ? Point.ZERO : Point.BASE.multiply(r).add(TORSION);
  const encodedR = point.toBytes();
  const k = Point.Fn.create(scalar(sha512(concatBytes(encodedR, pointBytes, message))));
  return new Uint8Array(concatBytes(encodedR, littleEndian(Point.Fn.create(r + k * secret))));
}

/** A public key with a torsion component, and how its holder signs under it without the cofactor. */
export function mixedKey(
  seed: Bytes,
  order: keyof typeof TORSION_OF_ORDER,
): {
  readonly publicKey: Bytes;
  readonly sign: (message: Uint8Array) => Bytes;
} {
  const { scalar: secret, point } = ed25519.utils.getExtendedPublicKey(seed);
  const publicKey = new Uint8Array(point.add(TORSION_OF_ORDER[order]).toBytes());
  return {
    publicKey,
    sign(message) {
      // [k]T vanishes when k is a multiple of 8: one r in eight.
      for (let r = 2n; ; r += 1n) {
        const encodedR = Point.BASE.multiply(r).toBytes();
        const k = Point.Fn.create(scalar(sha512(concatBytes(encodedR, publicKey, message))));
        if (k % 8n !== 0n) continue;
        const s = littleEndian(Point.Fn.create(r + k * secret));
        return new Uint8Array(concatBytes(encodedR, s));
      }
    },
  };
}

/** A signature on what `toSign` says of a message, under another label. */
export function signedFor(purpose: string, toSign: Uint8Array, seed: Bytes): Bytes {
  const words = toSign.slice(L('message').length);
  return new Uint8Array(ed25519.sign(concatBytes(L(purpose), words), seed));
}
