/**
 * A member who opens an envelope with his own key, takes the signed message out, and seals it for
 * others: surreptitious forwarding. Shares no code with the library but the curves' library, so
 * that it does what an attacker could do and not what our functions allow. Likewise a malicious
 * sender, who seals and signs what no client would.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';

const L = (name: string): Uint8Array => utf8ToBytes(`twilio-chat-encryption/v1/${name}\0`);
const xor = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  a.map((byte, index) => byte ^ (b[index] ?? 0));

function slotMask(shared: Uint8Array, nonce: Uint8Array, e: Uint8Array, r: Uint8Array): Uint8Array {
  const kek = extract(sha256, shared, L('slot'));
  return expand(sha256, kek, concatBytes(L('slot'), nonce, e, r), 32);
}

/** What an envelope is made for: a chat's message (type 1), or sealed data (type 4). */
export type Purpose = 'message' | 'sealed';

const TYPES = { message: 1, sealed: 4 } as const;

function keys(
  m: Uint8Array,
  header: Uint8Array,
  purpose: Purpose,
): { hh: Uint8Array; both: Uint8Array } {
  const hh = sha256(concatBytes(L('header'), header));
  const both = expand(sha256, extract(sha256, m, L(purpose)), concatBytes(L('key'), hh), 64);
  return { hh, both };
}

/** The padded plaintext, signature first, that the holder of `secret` finds in an envelope. */
export function openRaw(text: string, secret: Uint8Array): Uint8Array {
  return openRawBytes(base64urlnopad.decode(text.slice(5)), secret, 'message');
}

/** As {@link openRaw}, of the bytes of an envelope. */
export function openRawBytes(bytes: Uint8Array, secret: Uint8Array, purpose: Purpose): Uint8Array {
  const [nonce, e] = [bytes.slice(4, 20), bytes.slice(20, 52)];
  const count = (bytes[52] ?? 0) * 256 + (bytes[53] ?? 0);
  const end = 54 + 36 * count;
  const r = x25519.getPublicKey(secret);
  const hint = sha256(concatBytes(L('hint'), nonce, r)).slice(0, 4);
  for (let at = 54; at < end; at += 36) {
    if (!hint.every((byte, index) => byte === bytes[at + index])) continue;
    const mask = slotMask(x25519.getSharedSecret(secret, e), nonce, e, r);
    const m = xor(bytes.slice(at + 4, at + 36), mask);
    const { hh, both } = keys(m, bytes.slice(0, end), purpose);
    const aad = concatBytes(hh, both.slice(32));
    return chacha20poly1305(both.slice(0, 32), new Uint8Array(12), aad).decrypt(
      bytes.slice(end + 32),
    );
  }
  throw new Error('No slot for this key.');
}

/** An envelope with this plaintext, valid in all but the signature, for these public keys. */
export function sealRaw(plaintext: Uint8Array, recipients: readonly Uint8Array[]): string {
  const m = randomBytes(32);
  return craft(recipients.map((publicKey) => ({ publicKey, wraps: m }))).seal(m, plaintext);
}

/** A slot for this public key that gives its holder the message key `wraps`. */
export interface CraftedSlot {
  readonly publicKey: Uint8Array;
  readonly wraps: Uint8Array;
}

/** An envelope in the making: its header is there. */
export interface Craft {
  /** The hash that a message's signature covers, besides what is said. */
  readonly headerHash: Uint8Array;
  /** The envelope with this plaintext under the message key `m`. */
  readonly seal: (m: Uint8Array, plaintext: Uint8Array) => string;
  /** The same as bytes. */
  readonly sealBytes: (m: Uint8Array, plaintext: Uint8Array) => Uint8Array<ArrayBuffer>;
}

/** An envelope with any slots at all. */
export function craft(crafted: readonly CraftedSlot[], purpose: Purpose = 'message'): Craft {
  const [nonce, secret] = [randomBytes(16), randomBytes(32)];
  const e = x25519.getPublicKey(secret);
  const slots = crafted.map(({ publicKey, wraps }) => {
    const hint = sha256(concatBytes(L('hint'), nonce, publicKey)).slice(0, 4);
    const shared = x25519.getSharedSecret(secret, publicKey);
    return concatBytes(hint, xor(wraps, slotMask(shared, nonce, e, publicKey)));
  });
  const count = Uint8Array.of(slots.length >> 8, slots.length & 255);
  const header = concatBytes(Uint8Array.of(1, TYPES[purpose], 1, 0), nonce, e, count, ...slots);
  const sealBytes: Craft['sealBytes'] = (m, plaintext) => {
    const { hh, both } = keys(m, header, purpose);
    const aad = concatBytes(hh, both.slice(32));
    const key = both.slice(0, 32);
    const sealed = chacha20poly1305(key, new Uint8Array(12), aad).encrypt(plaintext);
    return new Uint8Array(concatBytes(header, both.slice(32), sealed));
  };
  return {
    headerHash: sha256(concatBytes(L('header'), header)),
    sealBytes,
    seal: (m, plaintext) => `e2e1.${base64urlnopad.encode(sealBytes(m, plaintext))}`,
  };
}

/** The parts of what is signed about a message, as bytes: any of them may be wrong. */
export interface TbsParts {
  readonly channelSid: string;
  readonly senderCardId: Uint8Array;
  readonly messageId: Uint8Array;
  readonly kind: number;
  readonly sequence: bigint;
  readonly sentAt: bigint;
  readonly head: Uint8Array;
  readonly content: string;
}

/** The bytes to be signed. */
export function tbs(parts: TbsParts): Uint8Array {
  const [sid, content] = [utf8ToBytes(parts.channelSid), utf8ToBytes(parts.content)];
  const numbers = new DataView(new ArrayBuffer(20));
  numbers.setBigUint64(0, parts.sequence);
  numbers.setBigUint64(8, parts.sentAt);
  numbers.setUint32(16, content.length);
  const [counters, length] = [numbers.buffer.slice(0, 16), numbers.buffer.slice(16)];
  return concatBytes(
    Uint8Array.of(sid.length),
    sid,
    parts.senderCardId,
    parts.messageId,
    Uint8Array.of(parts.kind),
    new Uint8Array(counters),
    parts.head,
    new Uint8Array(length),
    content,
  );
}

/** What the signature of a message covers. */
export function signedBytes(
  headerHash: Uint8Array,
  toBeSigned: Uint8Array,
  purpose: Purpose = 'message',
): Uint8Array {
  return concatBytes(L(purpose), headerHash, toBeSigned);
}

/** What is signed of sealed data. */
export function sealedTbs(
  senderKey: Uint8Array,
  mode: number,
  content: Uint8Array,
  length = content.length,
): Uint8Array {
  const prefix = new DataView(new ArrayBuffer(4));
  prefix.setUint32(0, length);
  return concatBytes(senderKey, Uint8Array.of(mode), new Uint8Array(prefix.buffer), content);
}

/** One chunk of a sealed stream, by the specification alone. */
export function craftChunk(
  key: Uint8Array,
  index: number,
  last: boolean,
  plaintext: Uint8Array,
): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, index);
  nonce[11] = last ? 1 : 0;
  return chacha20poly1305(key, nonce).encrypt(plaintext);
}

/** What the signature of a chunk covers. */
export function signedChunkBytes(
  headerHash: Uint8Array,
  index: number,
  last: boolean,
  data: Uint8Array,
): Uint8Array {
  const counter = new Uint8Array(9);
  new DataView(counter.buffer).setUint32(4, index);
  counter[8] = last ? 1 : 0;
  const digest = sha256(concatBytes(L('sealed-chunk'), data));
  return concatBytes(L('sealed-chunk'), headerHash, counter, digest);
}
