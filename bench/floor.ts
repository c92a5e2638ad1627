/**
 * The floor: the primitive operations of this library's messages, and no others, in node:crypto. What is
 * done natively and at once on one thread; no library in JavaScript is expected below it. It reads and
 * writes envelopes of the specification (§4), without their checks of form.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type CipherGCMOptions,
  type KeyObject,
} from 'node:crypto';
import { at, BODY, checkBody, make, type Peer } from './peer.ts';

const PREFIX = 'e2e1.';
const label = (name: string): Buffer => Buffer.from(`twilio-chat-encryption/v1/${name}\0`);
const LABELS = {
  hint: label('hint'),
  slot: label('slot'),
  header: label('header'),
  message: label('message'),
  key: label('key'),
  envelope: label('envelope'),
};
const ONE = Buffer.of(1);
const TWO = Buffer.of(2);
const ZERO_NONCE = Buffer.alloc(12);
const TAG: CipherGCMOptions = { authTagLength: 16 };
/** Channel, card, message id, kind, sequence, time and head, as long as they are in a message. */
const MESSAGE_LENGTH = 35 + 32 + 16 + 1 + 8 + 8 + 112 + 4;

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

interface Person {
  readonly signing: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly box: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  /** The bytes of `box.publicKey`. */
  readonly recipient: Buffer;
}

const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');

function rawKey(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(SPKI_X25519.length);
}

function person(): Person {
  const box = generateKeyPairSync('x25519');
  return { signing: generateKeyPairSync('ed25519'), box, recipient: rawKey(box.publicKey) };
}

function kekOf(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  return hmac(LABELS.slot, diffieHellman({ privateKey, publicKey }));
}

function keysOf(messageKey: Buffer, headerHash: Buffer): readonly [key: Buffer, mark: Buffer] {
  const prk = hmac(LABELS.message, messageKey);
  const key = hmac(prk, LABELS.key, headerHash, ONE);
  return [key, hmac(prk, key, LABELS.key, headerHash, TWO)];
}

/** Seals for all, under kept slot keys. */
function seal(sender: Person, ephemeral: Buffer, keks: ReadonlyMap<Buffer, Buffer>): string {
  const messageKey = randomBytes(32);
  const nonce = randomBytes(16);
  const slots = Array.from(keks, ([recipient, kek]) => [
    sha256(LABELS.hint, nonce, recipient).subarray(0, 4),
    xor(messageKey, hmac(kek, LABELS.slot, nonce, ephemeral, recipient, ONE)),
  ]);
  const count = Buffer.of(keks.size >> 8, keks.size & 255);
  const header = Buffer.concat([Buffer.of(1, 1, 1, 0), nonce, ephemeral, count, ...slots.flat()]);
  const headerHash = sha256(LABELS.header, header);
  const content = Buffer.from(JSON.stringify({ body: BODY }));
  const message = Buffer.concat([Buffer.alloc(MESSAGE_LENGTH), content]);
  const signed = [LABELS.message, headerHash, message];
  const signature = sign(null, Buffer.concat(signed), sender.signing.privateKey);
  const [key, commitment] = keysOf(messageKey, headerHash);
  const plaintext = Buffer.alloc(Math.ceil((64 + message.length) / 256) * 256);
  plaintext.set(signature);
  plaintext.set(message, 64);
  const cipher = createCipheriv('chacha20-poly1305', key, ZERO_NONCE, TAG);
  cipher.setAAD(Buffer.concat([headerHash, commitment]), { plaintextLength: plaintext.length });
  const ciphertext = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
  return PREFIX + Buffer.concat([header, commitment, ...ciphertext]).toString('base64url');
}

/** Opens it, and gives its body. */
function open(
  text: string,
  reader: Person,
  sender: Person,
  keks: Map<string, Buffer>,
): string | undefined {
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
  const nonce = bytes.subarray(4, 20);
  const ephemeral = bytes.subarray(20, 52);
  const end = 54 + 36 * bytes.readUInt16BE(52);
  const header = bytes.subarray(0, end);
  const headerHash = sha256(LABELS.header, header);
  const hint = sha256(LABELS.hint, nonce, reader.recipient).readUInt32BE();
  let slot = 54;
  while (slot < end && bytes.readUInt32BE(slot) !== hint) slot += 36;
  const name = ephemeral.toString('hex');
  const kek = keks.get(name) ?? agreed(ephemeral, reader);
  const mask = hmac(kek, LABELS.slot, nonce, ephemeral, reader.recipient, ONE);
  const [key, commitment] = keysOf(xor(bytes.subarray(slot + 4, slot + 36), mask), headerHash);
  if (!commitment.equals(bytes.subarray(end, end + 32))) throw new Error('Another message key.');
  const ciphertext = bytes.subarray(end + 32, -16);
  const decipher = createDecipheriv('chacha20-poly1305', key, ZERO_NONCE, TAG);
  decipher.setAuthTag(bytes.subarray(-16));
  decipher.setAAD(Buffer.concat([headerHash, commitment]), { plaintextLength: ciphertext.length });
  const plaintext = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  const length = MESSAGE_LENGTH + JSON.stringify({ body: BODY }).length;
  const message = plaintext.subarray(64, 64 + length);
  const signed = Buffer.concat([LABELS.message, headerHash, message]);
  if (!verify(null, signed, sender.signing.publicKey, plaintext.subarray(0, 64))) {
    throw new Error('Not signed.');
  }
  sha256(LABELS.envelope, bytes);
  keks.set(name, kek);
  const content: unknown = JSON.parse(message.subarray(MESSAGE_LENGTH).toString());
  if (typeof content !== 'object' || content === null || !('body' in content)) return undefined;
  return String(content.body);
}

function agreed(ephemeral: Buffer, { box }: Person): Buffer {
  const der = Buffer.concat([SPKI_X25519, ephemeral]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return kekOf(box.privateKey, publicKey);
}

/** The floor of {@link kept}. */
export const floor: Peer = {
  name: 'floor: node:crypto',
  differs: 'The primitive operations of this library and nothing else, on one thread.',
  async chat(people) {
    const everybody = await make(people, person);
    const reader = at(everybody, -1);
    const senders = everybody.slice(0, 10).map((sender) => {
      const { privateKey, publicKey } = generateKeyPairSync('x25519');
      const entries = everybody.map(
        ({ recipient, box }) => [recipient, kekOf(privateKey, box.publicKey)] as const,
      );
      return { sender, ephemeral: rawKey(publicKey), keks: new Map(entries) };
    });
    const known = new Map<string, Buffer>();
    return {
      seal(index) {
        const { sender, ephemeral, keks } = at(senders, index);
        const text = seal(sender, ephemeral, keks);
        return () => {
          checkBody(open(text, reader, sender, known));
        };
      },
      forget: () => {
        known.clear();
      },
    };
  },
};
