/**
 * Which public keys and signatures both back ends of the curves take. What is checked here is public, so
 * the time that it takes may depend on it.
 */
import { EncryptionError } from '../errors.ts';
import { equal, hex, type Bytes } from './primitives.ts';

/** The field of both curves: 2^255 − 19. */
const P = 2n ** 255n - 19n;
/** The order of the base point (RFC 8032 §5.1). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** −121665 / 121666: edwards25519 is −x² + y² = 1 + d x² y². */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const SQRT_MINUS_ONE =
  19681161376707505956807079304988542015446066515923890162744021073123829784752n;

/**
 * Throws `INVALID_KEY` unless these 32 bytes are the canonical encoding of a point of the prime
 * order group: a torsion component would let one back end accept what the other refuses.
 */
export function checkSigningPublicKey(publicKey: Uint8Array): void {
  if (publicKey.length === 32 && isOfPrimeOrder(publicKey)) return;
  throw new EncryptionError('INVALID_KEY', 'The signing key is not a valid Ed25519 public key.');
}

// The u coordinates of low order ("Curve25519: new Diffie-Hellman speed records", Bernstein; the points
// on its twist among them). All multiples by a clamped scalar of these, and of no others, are zero.
const LOW_ORDER: readonly bigint[] = [
  0n,
  1n,
  P - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
];

/**
 * Throws `INVALID_KEY` unless these 32 bytes are a canonical coordinate (below 2^255 − 19) that is
 * not of low order: every shared secret with such a key would be zero, hence public.
 */
export function checkAgreementPublicKey(publicKey: Uint8Array): void {
  const u = littleEndian(publicKey);
  if (publicKey.length === 32 && u < P && !LOW_ORDER.includes(u)) return;
  throw new EncryptionError('INVALID_KEY', 'The encryption key is not a valid X25519 public key.');
}

/** Throws `INVALID_KEY` unless a private key has 32 bytes. */
export function checkPrivateKey(bytes: Uint8Array): void {
  if (bytes.length !== 32) throw new EncryptionError('INVALID_KEY', 'A private key has 32 bytes.');
}

/**
 * The agreement with a key that passes {@link checkAgreementPublicKey}, else `INVALID_KEY`. About a zero
 * result implementations differ: they throw, or they return it. Of such a key there is none; so what is
 * thrown is a failure of the platform, and says nothing about the key.
 */
export async function checkedAgreement(
  publicKey: Bytes,
  agree: () => Bytes | Promise<Bytes>,
): Promise<Bytes> {
  checkAgreementPublicKey(publicKey);
  const shared = await agree();
  if (shared.some(Boolean)) return shared;
  throw new EncryptionError('INVALID_KEY', 'The key agreement gave zero: a low-order key.');
}

// The neutral element: y = 1.
const IDENTITY = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0));

/**
 * The checks of a signature that do not need the key. WebCrypto refuses an R of small order by its
 * specification, but not in every implementation. Under a torsion-free key an R that satisfies the
 * equation is torsion-free too, so the only one of small order is the identity.
 */
export function isWellFormed(signature: Bytes): boolean {
  return (
    signature.length === 64 &&
    !equal(signature.subarray(0, 32), IDENTITY) &&
    // Nearly always S is below 2^252 already, which its last byte shows.
    ((signature[63] ?? 255) < 16 || littleEndian(signature.subarray(32)) < ORDER)
  );
}

/** The number of these bytes, the first of which is the least. */
export function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x0${hex.encode(bytes.slice().reverse())}`);
}

/**
 * The Ed25519 public keys whose points have this X25519 coordinate: the two with y = (u − 1) / (u + 1)
 * (RFC 7748 §4.1), which differ in the sign of x.
 */
export function signingKeysAt(u: Bytes): readonly [Bytes, Bytes] {
  const coordinate = littleEndian(u);
  const y = modulo((coordinate - 1n) * power(coordinate + 1n, P - 2n));
  const even = hex.decode(y.toString(16).padStart(64, '0'))?.reverse() ?? new Uint8Array(32);
  const odd = even.slice();
  odd[31] = (odd[31] ?? 0) | 128;
  return [even, odd];
}

/** In extended coordinates: x = X/Z, y = Y/Z, xy = T/Z ("Twisted Edwards Curves Revisited", 2008). */
type Point = readonly [X: bigint, Y: bigint, Z: bigint, T: bigint];

function isOfPrimeOrder(encoded: Uint8Array): boolean {
  const point = decodePoint(encoded);
  if (!point || isNeutral(point)) return false;
  let multiple = point;
  // From the second bit on: the first one is the point itself.
  for (const bit of ORDER.toString(2).slice(1)) {
    multiple = double(multiple);
    if (bit === '1') multiple = add(multiple, point);
  }
  return isNeutral(multiple);
}

/** RFC 8032 §5.1.3; null for what is not the canonical encoding of a point. */
function decodePoint(encoded: Uint8Array): Point | null {
  const value = littleEndian(encoded);
  const y = value % 2n ** 255n;
  const sign = value >> 255n;
  if (y >= P) return null;
  const u = modulo(y * y - 1n);
  const v = modulo(D * y * y + 1n);
  const root = modulo(u * v ** 3n * power(modulo(u * v ** 7n), (P - 5n) / 8n));
  const square = modulo(v * root * root);
  if (square !== u && square !== modulo(-u)) return null;
  const x = square === u ? root : modulo(root * SQRT_MINUS_ONE);
  if (x === 0n && sign === 1n) return null;
  const signed = x % 2n === sign ? x : P - x;
  return [signed, y, 1n, modulo(signed * y)];
}

function isNeutral([x, y, z]: Point): boolean {
  return modulo(x) === 0n && modulo(y - z) === 0n;
}

// Remainders may be negative: what counts is what they are modulo P.
function product(e: bigint, f: bigint, g: bigint, h: bigint): Point {
  return [(e * f) % P, (g * h) % P, (f * g) % P, (e * h) % P];
}

/** "dbl-2008-hwcd" for a = −1. */
function double([x, y, z]: Point): Point {
  const [a, b] = [(x * x) % P, (y * y) % P];
  const e = (x + y) ** 2n - a - b;
  const g = b - a;
  return product(e % P, g - 2n * ((z * z) % P), g, -a - b);
}

/** "add-2008-hwcd-3", which is complete on this curve. */
function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = ((y1 - x1) * (y2 - x2)) % P;
  const b = ((y1 + x1) * (y2 + x2)) % P;
  const c = (((2n * D * t1) % P) * t2) % P;
  const d = (2n * z1 * z2) % P;
  return product(b - a, d - c, d + c, b + a);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % P;
    if (bit === '1') result = (result * base) % P;
  }
  return result;
}

function modulo(value: bigint): bigint {
  const remainder = value % P;
  return remainder < 0n ? remainder + P : remainder;
}
