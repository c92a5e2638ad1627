/** The curves on @noble/curves, for where WebCrypto has none; loaded only there. */
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import {
  checkedAgreement,
  checkPrivateKey,
  checkSigningPublicKey,
  isWellFormed,
  littleEndian,
} from './curve-checks.ts';
import type { Curves, SigningKey } from './curve-keys.ts';
import { concat, equal, type Bytes } from './primitives.ts';

/** @noble/curves: pure JavaScript. Slower, and constant time only as far as JavaScript can be. */
export const nobleCurves: Curves = {
  name: 'noble',
  importSigningKey(seed) {
    const key = seed.slice();
    return Promise.resolve().then(() => {
      checkPrivateKey(key);
      return signingKey(key);
    });
  },
  importVerifyingKey(publicKey) {
    return Promise.resolve().then(() => {
      checkSigningPublicKey(publicKey);
      const key: Multiplied = { point: Point.fromBytes(publicKey, false), uses: 0 };
      return {
        publicKey,
        verify: (signature, message) =>
          Promise.resolve(
            isWellFormed(signature) && verifyCofactorless(key, publicKey, signature, message),
          ),
      };
    });
  },
  importAgreementKey(secret) {
    const key = secret.slice();
    return Promise.resolve().then(() => {
      checkPrivateKey(key);
      return {
        publicKey: new Uint8Array(x25519.getPublicKey(key)),
        agree: (publicKey) =>
          checkedAgreement(publicKey, () => new Uint8Array(x25519.scalarMult(key, publicKey))),
      };
    });
  },
};

const { Point } = ed25519;
const { Fn } = Point;

/**
 * RFC 8032 §5.1.6. noble's own `sign` takes the seed and expands it for each signature, which costs as much
 * as the signature: what it expands to is kept here.
 */
function signingKey(seed: Bytes): SigningKey {
  const { scalar, prefix, pointBytes: publicKey } = ed25519.utils.getExtendedPublicKey(seed);
  return {
    publicKey,
    sign(message) {
      const nonce = scalarOf(prefix, message);
      const r = Point.BASE.multiply(nonce).toBytes();
      const s = Fn.create(nonce + scalarOf(r, publicKey, message) * scalar);
      return Promise.resolve(concat(r, Fn.toBytes(s)));
    },
  };
}

function scalarOf(...hashed: readonly Uint8Array[]): bigint {
  return Fn.create(littleEndian(sha512(concat(...hashed))));
}

// A table costs about what it saves at four signatures, and takes 130 KB.
const USES_BEFORE_TABLE = 4;
const TABLE_BITS = 4;
const MAX_TABLES = 64;

/** A public key's point, with a table of its multiples once it was used some times. */
interface Multiplied {
  point: InstanceType<typeof Point>;
  uses: number;
}

/** Those with a table, the oldest first. */
const tabled: Multiplied[] = [];

function times(key: Multiplied, scalar: bigint): InstanceType<typeof Point> {
  key.uses += 1;
  if (key.uses === USES_BEFORE_TABLE + 1) {
    const oldest = tabled.length === MAX_TABLES ? tabled.shift() : undefined;
    // noble keeps a table for as long as there is the point.
    if (oldest)
      Object.assign(oldest, { point: Point.fromAffine(oldest.point.toAffine()), uses: 0 });
    key.point.precompute(TABLE_BITS, false);
    tabled.push(key);
  }
  return key.point.multiplyUnsafe(scalar);
}

/**
 * RFC 8032 §5.1.7 with the equation that WebCrypto's implementations check. noble's own `verify`
 * multiplies by the cofactor, even with `zip215: false`, and would accept more than they do.
 */
function verifyCofactorless(
  key: Multiplied,
  publicKey: Bytes,
  signature: Bytes,
  message: Bytes,
): boolean {
  try {
    const r = signature.subarray(0, 32);
    const s = littleEndian(signature.subarray(32));
    const ka = times(key, scalarOf(r, publicKey, message));
    const expected = Point.BASE.multiplyUnsafe(s).subtract(ka);
    return equal(expected.toBytes(), r);
  } catch {
    return false;
  }
}
