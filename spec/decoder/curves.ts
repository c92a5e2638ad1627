/** Ed25519 and X25519 keys and signatures, and X-Wing: README.md, "Primitives". */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  verify,
} from 'node:crypto';

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const SQRT_MINUS_1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752n;

const mod = (value: bigint, by = P): bigint => ((value % by) + by) % by;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base); exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);

/** Projective coordinates: x = X/Z, y = Y/Z. */
type Point = readonly [x: bigint, y: bigint, z: bigint];
const NEUTRAL: Point = [0n, 1n, 1n];

/** The complete addition of twisted Edwards curves, a = −1 (Bernstein and others, 2008, §6). */
function add([x1, y1, z1]: Point, [x2, y2, z2]: Point): Point {
  const a = mod(z1 * z2);
  const b = mod(a * a);
  const [c, d] = [mod(x1 * x2), mod(y1 * y2)];
  const e = mod(D * c * d);
  const [f, g] = [mod(b - e), mod(b + e)];
  const x = mod(a * f * ((x1 + y1) * (x2 + y2) - c - d));
  return [x, mod(a * g * (d + c)), mod(f * g)];
}

function multiply(point: Point, factor: bigint): Point {
  let result = NEUTRAL;
  for (let doubled = point; factor > 0n; factor >>= 1n) {
    if (factor & 1n) result = add(result, doubled);
    doubled = add(doubled, doubled);
  }
  return result;
}

const isNeutral = ([x, y, z]: Point): boolean => x === 0n && y === z;

/** RFC 8032 §5.1.3, canonical encodings only. */
function decompress(bytes: Uint8Array): Point | null {
  const encoded = littleEndian(bytes);
  const sign = encoded >> 255n;
  const y = encoded & (2n ** 255n - 1n);
  if (bytes.length !== 32 || y >= P) return null;
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * SQRT_MINUS_1);
  if (mod(x * x) !== square || (x === 0n && sign === 1n)) return null;
  return [(x & 1n) === sign ? x : P - x, y, 1n];
}

/** A signing key: canonical, and in the group of prime order without its neutral element. */
export function isSigningKey(bytes: Uint8Array): boolean {
  const point = decompress(bytes);
  return point !== null && !isNeutral(point) && isNeutral(multiply(point, ORDER));
}

/** Ed25519 without the cofactor, S below the order, R not the neutral element. */
export function isSignature(key: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (signature.length !== 64 || littleEndian(signature.subarray(32)) >= ORDER) return false;
  if (littleEndian(signature.subarray(0, 32)) === 1n) return false;
  // OpenSSL checks the equation without the cofactor, and R byte for byte.
  const asymmetricKeyType = 'ed25519';
  const publicKey = createPublicKey({
    key: Buffer.from(key),
    format: 'raw-public',
    asymmetricKeyType,
  });
  return verify(null, message, publicKey, signature);
}

/** The Ed25519 public key of a seed. */
export function signingPublic(seed: Uint8Array): Buffer {
  const asymmetricKeyType = 'ed25519';
  const key = createPrivateKey({
    key: Buffer.from(seed),
    format: 'raw-private',
    asymmetricKeyType,
  });
  return createPublicKey(key).export({ format: 'raw-public' });
}

/** The X25519 public key of a private one. */
export function x25519Public(secret: Uint8Array): Buffer {
  return createPublicKey(x25519Private(secret)).export({ format: 'raw-public' });
}

function x25519Private(secret: Uint8Array) {
  const asymmetricKeyType = 'x25519';
  return createPrivateKey({ key: Buffer.from(secret), format: 'raw-private', asymmetricKeyType });
}

/** The shared secret; null for a key that is not canonical, or gives zero. */
export function x25519(secret: Uint8Array, peer: Uint8Array): Buffer | null {
  if (peer.length !== 32 || littleEndian(peer) >= P) return null;
  const asymmetricKeyType = 'x25519';
  try {
    const publicKey = createPublicKey({
      key: Buffer.from(peer),
      format: 'raw-public',
      asymmetricKeyType,
    });
    const shared = diffieHellman({ privateKey: x25519Private(secret), publicKey });
    return shared.some((byte) => byte !== 0) ? shared : null;
  } catch {
    return null;
  }
}

/** An encryption key: canonical, and not of low order. */
export function isAgreementKey(bytes: Uint8Array): boolean {
  return x25519(Buffer.alloc(32, 0x40), bytes) !== null;
}

/** An X-Wing key: FIPS 203 §7.2 for its first 1184 bytes, X25519's rule for the last 32. */
export function isXWingKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 1216) return false;
  for (let at = 0; at < 1152; at += 3) {
    const three = littleEndian(bytes.subarray(at, at + 3));
    if ((three & 0xfffn) >= 3329n || three >> 12n >= 3329n) return false;
  }
  return isAgreementKey(bytes.subarray(1184));
}

interface XWingKey {
  readonly publicKey: Buffer;
  /** The shared secret; null when the X25519 half is not a valid key. */
  readonly open: (ciphertext: Buffer) => Buffer | null;
}

/** X-Wing, draft-connolly-cfrg-xwing-kem-10. */
export function xwing(seed: Uint8Array): XWingKey {
  const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest();
  const [mlKemSeed, secret] = [expanded.subarray(0, 64), expanded.subarray(64)];
  const asymmetricKeyType = 'ml-kem-768';
  const mlKem = createPrivateKey({ key: mlKemSeed, format: 'raw-seed', asymmetricKeyType });
  const own = x25519Public(secret);
  return {
    publicKey: Buffer.concat([createPublicKey(mlKem).export({ format: 'raw-public' }), own]),
    open(ciphertext) {
      const half = ciphertext.subarray(1088);
      const shared = x25519(secret, half);
      if (!shared) return null;
      const first = decapsulate(mlKem, ciphertext.subarray(0, 1088));
      const parts = [first, shared, half, own, Buffer.from('\\.//^\\')];
      return createHash('sha3-256').update(Buffer.concat(parts)).digest();
    },
  };
}
