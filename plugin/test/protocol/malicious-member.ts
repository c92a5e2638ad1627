/**
 * A member who opens an envelope with his own key, takes the signed message out, and seals it for
 * others: surreptitious forwarding. Shares no code with the library but the curves' library, so
 * that it does what an attacker could do and not what our functions allow.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const L = (name: string): Uint8Array => utf8ToBytes(`twilio-chat-encryption/v1/${name}\0`);
const xor = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  a.map((byte, index) => byte ^ (b[index] ?? 0));

function slotMask(shared: Uint8Array, nonce: Uint8Array, e: Uint8Array, r: Uint8Array): Uint8Array {
  const kek = extract(sha256, shared, L('slot'));
  return expand(sha256, kek, concatBytes(L('slot'), nonce, e, r), 32);
}

function keys(m: Uint8Array, header: Uint8Array): { hh: Uint8Array; both: Uint8Array } {
  const hh = sha256(concatBytes(L('header'), header));
  const both = expand(sha256, extract(sha256, m, L('message')), concatBytes(L('key'), hh), 64);
  return { hh, both };
}

/** The padded plaintext, signature first, that the holder of `secret` finds in an envelope. */
export function openRaw(text: string, secret: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(text.slice(5), 'base64url'));
  const [nonce, e] = [bytes.slice(4, 20), bytes.slice(20, 52)];
  const count = (bytes[52] ?? 0) * 256 + (bytes[53] ?? 0);
  const end = 54 + 36 * count;
  const r = x25519.getPublicKey(secret);
  const hint = sha256(concatBytes(L('hint'), nonce, r)).slice(0, 4);
  for (let at = 54; at < end; at += 36) {
    if (!hint.every((byte, index) => byte === bytes[at + index])) continue;
    const mask = slotMask(x25519.getSharedSecret(secret, e), nonce, e, r);
    const { hh, both } = keys(xor(bytes.slice(at + 4, at + 36), mask), bytes.slice(0, end));
    const aad = concatBytes(hh, both.slice(32));
    return chacha20poly1305(both.slice(0, 32), new Uint8Array(12), aad).decrypt(
      bytes.slice(end + 32),
    );
  }
  throw new Error('No slot for this key.');
}

/** An envelope with this plaintext, valid in all but the signature, for these public keys. */
export function sealRaw(plaintext: Uint8Array, recipients: readonly Uint8Array[]): string {
  const [m, nonce, secret] = [randomBytes(32), randomBytes(16), randomBytes(32)];
  const e = x25519.getPublicKey(secret);
  const slots = recipients.map((r) => {
    const hint = sha256(concatBytes(L('hint'), nonce, r)).slice(0, 4);
    return concatBytes(hint, xor(m, slotMask(x25519.getSharedSecret(secret, r), nonce, e, r)));
  });
  const count = Uint8Array.of(recipients.length >> 8, recipients.length & 255);
  const header = concatBytes(Uint8Array.of(1, 1, 1, 0), nonce, e, count, ...slots);
  const { hh, both } = keys(m, header);
  const aad = concatBytes(hh, both.slice(32));
  const sealed = chacha20poly1305(both.slice(0, 32), new Uint8Array(12), aad).encrypt(plaintext);
  const envelope = concatBytes(header, both.slice(32), sealed);
  return `e2e1.${Buffer.from(envelope).toString('base64url')}`;
}
