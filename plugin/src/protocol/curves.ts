/**
 * Ed25519 and X25519 on two back ends that accept exactly the same inputs: WebCrypto, which is
 * native and keeps private keys out of the page's memory, and @noble/curves where it is missing, see
 * `curves-noble.ts`.
 */
import { loaded } from '../loading.ts';
import {
  checkedAgreement,
  checkPrivateKey,
  checkSigningPublicKey,
  isWellFormed,
  signingKeysAt,
} from './curve-checks.ts';
import type { Curves } from './curve-keys.ts';
import { concat, equal, hex, type Bytes } from './primitives.ts';

export type { AgreementKey, Curves, SigningKey, VerifyingKey } from './curve-keys.ts';

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

async function agree(key: CryptoKey, publicKey: Bytes): Promise<Bytes> {
  const peer = await crypto.subtle.importKey('raw', publicKey, 'X25519', false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: peer }, key, 256));
}

/**
 * The public key of a seed. WebCrypto gives it of no private key that is not extractable, but the point
 * is that of X25519 with the same scalar (RFC 8032 §5.1.5, RFC 7748 §4.1), but for a sign: the key's own
 * signature tells which.
 */
async function signingPublicKey(seed: Bytes, key: CryptoKey): Promise<Bytes> {
  const expanded = new Uint8Array(await crypto.subtle.digest('SHA-512', seed));
  try {
    const scalar = expanded.subarray(0, 32);
    const sameScalar = await importPrivate(PKCS8_X25519, scalar, 'X25519', 'deriveBits');
    const [even, odd] = signingKeysAt(await agree(sameScalar, BASE_POINT));
    const message = new Uint8Array();
    const signature = await crypto.subtle.sign('Ed25519', key, message);
    const verifying = await crypto.subtle.importKey('raw', even, 'Ed25519', false, ['verify']);
    const isEven = await crypto.subtle.verify('Ed25519', verifying, signature, message);
    return isEven ? even : odd;
  } finally {
    expanded.fill(0);
  }
}

/** WebCrypto (W3C "Web Cryptography Level 2", Ed25519 and X25519). */
export const webCryptoCurves: Curves = {
  name: 'webcrypto',
  async importSigningKey(seed) {
    checkPrivateKey(seed);
    const key = await importPrivate(PKCS8_ED25519, seed, 'Ed25519', 'sign');
    return {
      publicKey: await signingPublicKey(seed, key),
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
    checkPrivateKey(secret);
    const key = await importPrivate(PKCS8_X25519, secret, 'X25519', 'deriveBits');
    return {
      publicKey: await agree(key, BASE_POINT),
      agree: (publicKey) => checkedAgreement(publicKey, () => agree(key, publicKey)),
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
 * @throws EncryptionError `CODE_UNAVAILABLE` when noble is needed and cannot be loaded; the next call
 * tries again
 */
export function curves(): Promise<Curves> {
  return (chosen ??= choose().catch((error: unknown) => {
    chosen = undefined;
    throw error;
  }));
}

async function choose(): Promise<Curves> {
  if (await passesProbe(webCryptoCurves)) return webCryptoCurves;
  return (await loaded(() => import('./curves-noble.ts'))).nobleCurves;
}
