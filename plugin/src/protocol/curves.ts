/**
 * Ed25519 and X25519 on two back ends that accept exactly the same inputs: WebCrypto, which is
 * native and keeps private keys out of the page's memory, and @noble/curves where it is missing.
 */
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { EncryptionError } from '../errors.ts';
import { concat, equal, hex, type Bytes } from './primitives.ts';

/** A private signing key. WebCrypto's is not extractable. */
export interface SigningKey {
  /** The Ed25519 public key, 32 bytes. */
  readonly publicKey: Bytes;
  /** The Ed25519 signature (RFC 8032), 64 bytes. Use `sign` of `signature.ts`, which labels. */
  sign(message: Bytes): Promise<Bytes>;
}

/** A public signing key that was checked when it was imported. */
export interface VerifyingKey {
  /** The Ed25519 public key, 32 bytes. */
  readonly publicKey: Bytes;
  /**
   * Whether `signature` is one on `message`: without the cofactor, that is iff encode([S]B − [k]A)
   * equals R byte for byte and S is below the group order ("Taming the many EdDSAs", 2020, §3),
   * and R is not of small order (W3C "Web Cryptography Level 2", Ed25519, verify).
   */
  verify(signature: Bytes, message: Bytes): Promise<boolean>;
}

/** A private key-agreement key. */
export interface AgreementKey {
  /** The X25519 public key, 32 bytes. */
  readonly publicKey: Bytes;
  /** X25519 (RFC 7748 §6.1) with another's public key: 32 bytes. Throws `INVALID_KEY` on zero. */
  agree(publicKey: Bytes): Promise<Bytes>;
}

/** The curve operations; both back ends pass the same tests. */
export interface Curves {
  readonly name: 'webcrypto' | 'noble';
  /** From a 32-byte seed (RFC 8032 §5.1.5). */
  importSigningKey(seed: Bytes): Promise<SigningKey>;
  /** From a 32-byte public key; throws `INVALID_KEY` for one that is none. */
  importVerifyingKey(publicKey: Bytes): Promise<VerifyingKey>;
  /** From a 32-byte secret (RFC 7748 §5). */
  importAgreementKey(secret: Bytes): Promise<AgreementKey>;
}

/**
 * Throws `INVALID_KEY` unless these 32 bytes are the canonical encoding of a point of the prime
 * order group: a torsion component would let one back end accept what the other refuses.
 */
export function checkSigningPublicKey(publicKey: Uint8Array): void {
  const ok = attempt(() => {
    const point = ed25519.Point.fromBytes(publicKey, false);
    return !point.isSmallOrder() && point.isTorsionFree();
  });
  if (publicKey.length !== 32 || !ok) {
    throw new EncryptionError('INVALID_KEY', 'The signing key is not a valid Ed25519 public key.');
  }
}

/**
 * Throws `INVALID_KEY` unless these 32 bytes are a canonical coordinate (below 2^255 − 19) that is
 * not of low order: every shared secret with such a key would be zero, hence public.
 */
export function checkAgreementPublicKey(publicKey: Uint8Array): void {
  const ok = attempt(() => {
    const canonical = x25519Canonical(publicKey);
    // Clamped scalars are multiples of the cofactor, so any of them finds a low-order point.
    return canonical && x25519.scalarMult(new Uint8Array(32).fill(0x40), publicKey).some(Boolean);
  });
  if (publicKey.length !== 32 || !ok) {
    throw new EncryptionError(
      'INVALID_KEY',
      'The encryption key is not a valid X25519 public key.',
    );
  }
}

function x25519Canonical(publicKey: Uint8Array): boolean {
  const coordinate = BigInt(`0x${hex.encode(publicKey.slice().reverse())}`);
  return coordinate < 2n ** 255n - 19n;
}

function attempt(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

function checkLength(bytes: Uint8Array): void {
  if (bytes.length !== 32) throw new EncryptionError('INVALID_KEY', 'A private key has 32 bytes.');
}

/** Implementations differ in what they do about a zero result: they throw, or they return it. */
async function checkedAgreement(
  publicKey: Bytes,
  agree: () => Bytes | Promise<Bytes>,
): Promise<Bytes> {
  if (publicKey.length !== 32 || !x25519Canonical(publicKey)) checkAgreementPublicKey(publicKey);
  try {
    const shared = await agree();
    if (shared.some(Boolean)) return shared;
  } catch {
    // The reason is the same one as for a zero result.
  }
  throw new EncryptionError('INVALID_KEY', 'The key agreement gave zero: a low-order key.');
}

// The neutral element: y = 1.
const IDENTITY = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0));

/**
 * The checks of a signature that do not need the key. WebCrypto refuses an R of small order by its
 * specification, but not in every implementation. Under a torsion-free key an R that satisfies the
 * equation is torsion-free too, so the only one of small order is the identity.
 */
function isWellFormed(signature: Bytes): boolean {
  return (
    signature.length === 64 &&
    !equal(signature.subarray(0, 32), IDENTITY) &&
    littleEndian(signature.subarray(32)) < ed25519.Point.Fn.ORDER
  );
}

/** @noble/curves: pure JavaScript. Slower, and constant time only as far as JavaScript can be. */
export const nobleCurves: Curves = {
  name: 'noble',
  importSigningKey(seed) {
    const key = seed.slice();
    return Promise.resolve().then(() => {
      checkLength(key);
      return {
        publicKey: new Uint8Array(ed25519.getPublicKey(key)),
        sign: (message) => Promise.resolve(new Uint8Array(ed25519.sign(message, key))),
      };
    });
  },
  importVerifyingKey(publicKey) {
    return Promise.resolve().then(() => {
      checkSigningPublicKey(publicKey);
      return {
        publicKey,
        verify: (signature, message) =>
          Promise.resolve(
            isWellFormed(signature) && verifyCofactorless(publicKey, signature, message),
          ),
      };
    });
  },
  importAgreementKey(secret) {
    const key = secret.slice();
    return Promise.resolve().then(() => {
      checkLength(key);
      return {
        publicKey: new Uint8Array(x25519.getPublicKey(key)),
        agree: (publicKey) =>
          checkedAgreement(publicKey, () => new Uint8Array(x25519.scalarMult(key, publicKey))),
      };
    });
  },
};

/**
 * RFC 8032 §5.1.7 with the equation that WebCrypto's implementations check. noble's own `verify`
 * multiplies by the cofactor, even with `zip215: false`, and would accept more than they do.
 */
function verifyCofactorless(publicKey: Bytes, signature: Bytes, message: Bytes): boolean {
  return attempt(() => {
    const { Point } = ed25519;
    const r = signature.subarray(0, 32);
    const s = littleEndian(signature.subarray(32));
    const k = Point.Fn.create(littleEndian(sha512(concat(r, publicKey, message))));
    const a = Point.fromBytes(publicKey, false);
    const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
    return equal(expected.toBytes(), r);
  });
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex.encode(bytes.slice().reverse())}`);
}

// PKCS #8 (RFC 8410 §7) of a 32-byte private key is these fixed bytes and then the key.
const PKCS8_ED25519 = 0x70;
const PKCS8_X25519 = 0x6e;

async function importPrivate(
  algorithm: number,
  secret: Bytes,
  name: 'Ed25519' | 'X25519',
  usage: 'sign' | 'deriveBits',
): Promise<CryptoKey> {
  const header = hex.decode('302e020100300506032b6500' + '04220420') ?? new Uint8Array();
  header[11] = algorithm;
  const pkcs8 = concat(header, secret);
  try {
    return await crypto.subtle.importKey('pkcs8', pkcs8, name, false, [usage]);
  } finally {
    pkcs8.fill(0);
  }
}

const BASE_POINT = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 9 : 0));

/** WebCrypto (W3C "Web Cryptography Level 2", Ed25519 and X25519). */
export const webCryptoCurves: Curves = {
  name: 'webcrypto',
  async importSigningKey(seed) {
    checkLength(seed);
    const key = await importPrivate(PKCS8_ED25519, seed, 'Ed25519', 'sign');
    return {
      publicKey: new Uint8Array(ed25519.getPublicKey(seed)),
      sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, message)),
    };
  },
  async importVerifyingKey(publicKey) {
    checkSigningPublicKey(publicKey);
    const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
    return {
      publicKey,
      verify: async (signature, message) =>
        isWellFormed(signature) && crypto.subtle.verify('Ed25519', key, signature, message),
    };
  },
  async importAgreementKey(secret) {
    checkLength(secret);
    const key = await importPrivate(PKCS8_X25519, secret, 'X25519', 'deriveBits');
    const agree = async (publicKey: Bytes): Promise<Bytes> => {
      const peer = await crypto.subtle.importKey('raw', publicKey, 'X25519', false, []);
      const bits = await crypto.subtle.deriveBits({ name: 'X25519', public: peer }, key, 256);
      return new Uint8Array(bits);
    };
    return {
      publicKey: await agree(BASE_POINT),
      agree: (publicKey) => checkedAgreement(publicKey, () => agree(publicKey)),
    };
  },
};

// Known answers. The last is a signature whose R has a torsion component: the equation with the
// cofactor accepts it and the one without refuses it, so it tells the two kinds apart.
const PROBE = {
  // RFC 8032 §7.1, test 1: the empty message.
  seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  signature:
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  // RFC 7748 §6.1.
  secret: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
  peer: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  torsion:
    '6a84d583f06569edb3f5ed77df65544b27d6948b4f0b2cb76f33dd8413b20719a4ecead7d0da10d06e9dd4d2cd15f6b801100ecedcc864297318e1721ffa6c0c',
} as const;

function known(name: keyof typeof PROBE): Bytes {
  return hex.decode(PROBE[name]) ?? new Uint8Array();
}

/** Whether a back end gives the known answers, and refuses what the other one refuses. */
export async function passesProbe(candidate: Curves): Promise<boolean> {
  try {
    const message = new Uint8Array();
    const signing = await candidate.importSigningKey(known('seed'));
    const verifying = await candidate.importVerifyingKey(signing.publicKey);
    const agreement = await candidate.importAgreementKey(known('secret'));
    return (
      equal(await signing.sign(message), known('signature')) &&
      (await verifying.verify(known('signature'), message)) &&
      !(await verifying.verify(known('torsion'), message)) &&
      equal(await agreement.agree(known('peer')), known('shared'))
    );
  } catch {
    return false;
  }
}

let chosen: Promise<Curves> | undefined;

/**
 * The curves of this environment: WebCrypto where it passes the probe, noble where it is missing
 * (an old browser, a page that is not a secure context) or differs. Probed once.
 */
export function curves(): Promise<Curves> {
  return (chosen ??= passesProbe(webCryptoCurves).then((passes) =>
    passes ? webCryptoCurves : nobleCurves,
  ));
}
