/**
 * X-Wing (draft-connolly-cfrg-xwing-kem-10): ML-KEM-768 (FIPS 203) and X25519 together, so that what
 * is wrapped with it stays secret as long as one of the two holds. For suite 2.
 *
 * Whoever does not use it does not load it, see `xwing.ts`. ML-KEM has two back ends, as the curves have:
 * WebCrypto where it has it, else @noble/post-quantum.
 */
import type { Curves } from './curve-keys.ts';
import { curves } from './curves.ts';
import {
  checkEncapsulationKey,
  checkLength,
  ML_KEM_PUBLIC_KEY,
  type Encapsulation,
  type Kem,
  type KemKey,
} from './kem.ts';
import { concat, equal, hex, utf8, type Bytes, type RandomSource } from './primitives.ts';

const ML_KEM_CIPHERTEXT = 1088;
const ML_KEM_SEED = 64;
const XWING_SEED = 32;

/** What "Modern Algorithms in the Web Cryptography API" (WICG, 2025) adds for ML-KEM. */
interface SubtleKem {
  importKey(
    format: 'raw-seed' | 'raw-public',
    bytes: Bytes,
    algorithm: 'ML-KEM-768',
    extractable: boolean,
    usages: readonly ('encapsulateBits' | 'decapsulateBits')[],
  ): Promise<CryptoKey>;
  getPublicKey(key: CryptoKey, usages: readonly 'encapsulateBits'[]): Promise<CryptoKey>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: 'ML-KEM-768',
    key: CryptoKey,
  ): Promise<{ readonly ciphertext: ArrayBuffer; readonly sharedKey: ArrayBuffer }>;
  decapsulateBits(algorithm: 'ML-KEM-768', key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
}

function hasKem(subtle: object): subtle is SubtleKem {
  const methods = ['getPublicKey', 'encapsulateBits', 'decapsulateBits'];
  return methods.every((method) => method in subtle);
}

function subtleKem(): SubtleKem {
  if (hasKem(crypto.subtle)) return crypto.subtle;
  throw new DOMException('This WebCrypto has no key encapsulation.', 'NotSupportedError');
}

/** ML-KEM-768 on WebCrypto; its private keys are not extractable. */
export const webCryptoMlKem: Kem = {
  name: 'webcrypto',
  async importKey(seed) {
    checkLength(seed, ML_KEM_SEED, 'an ML-KEM-768 seed');
    const subtle = subtleKem();
    const usages = ['decapsulateBits'] as const;
    const key = await subtle.importKey('raw-seed', seed, 'ML-KEM-768', false, usages);
    const publicKey = await subtle.getPublicKey(key, ['encapsulateBits']);
    return {
      publicKey: new Uint8Array(await subtle.exportKey('raw-public', publicKey)),
      async decapsulate(ciphertext) {
        checkLength(ciphertext, ML_KEM_CIPHERTEXT, 'an ML-KEM-768 ciphertext');
        return new Uint8Array(await subtle.decapsulateBits('ML-KEM-768', key, ciphertext));
      },
    };
  },
  async encapsulate(publicKey) {
    checkEncapsulationKey(publicKey);
    const subtle = subtleKem();
    const usages = ['encapsulateBits'] as const;
    const key = await subtle.importKey('raw-public', publicKey, 'ML-KEM-768', false, usages);
    const { ciphertext, sharedKey } = await subtle.encapsulateBits('ML-KEM-768', key);
    return { ciphertext: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
  },
};

/** ML-KEM-768 on @noble/post-quantum: constant time only as far as JavaScript can be. */
export async function nobleMlKem(): Promise<Kem> {
  const { ml_kem768: mlKem } = await import('@noble/post-quantum/ml-kem.js');

  function importKey(seed: Bytes): KemKey {
    checkLength(seed, ML_KEM_SEED, 'an ML-KEM-768 seed');
    const { publicKey, secretKey } = mlKem.keygen(seed);
    return {
      publicKey: new Uint8Array(publicKey),
      decapsulate: (ciphertext) =>
        promised(() => {
          checkLength(ciphertext, ML_KEM_CIPHERTEXT, 'an ML-KEM-768 ciphertext');
          return new Uint8Array(mlKem.decapsulate(ciphertext, secretKey));
        }),
    };
  }

  function encapsulate(publicKey: Bytes, random: RandomSource): Encapsulation {
    checkEncapsulationKey(publicKey);
    const { cipherText, sharedSecret } = mlKem.encapsulate(publicKey, random(32));
    return { ciphertext: new Uint8Array(cipherText), sharedSecret: new Uint8Array(sharedSecret) };
  }

  return {
    name: 'noble',
    importKey: (seed) => promised(() => importKey(seed)),
    encapsulate: (publicKey, random) => promised(() => encapsulate(publicKey, random)),
  };
}

/** Computes at once: the caller may erase its bytes afterwards. What is thrown rejects. */
function promised<Result>(compute: () => Result): Promise<Result> {
  return new Promise((resolve) => {
    resolve(compute());
  });
}

/** X-Wing on these back ends; they all give the same. */
export async function xwingOn(mlKem: Kem, backEnd: Curves): Promise<Kem> {
  const { sha3_256: sha3, shake256 } = await import('@noble/hashes/sha3.js');
  const label = utf8('\\.//^\\');

  // ML-KEM's ciphertext is left out on purpose: its decapsulation encrypts again and compares, so
  // that nobody finds a second ciphertext of one secret ("X-Wing", ePrint 2024/039).
  function combine(mlKemSecret: Bytes, shared: Bytes, ephemeral: Bytes, recipient: Bytes): Bytes {
    return new Uint8Array(sha3(concat(mlKemSecret, shared, ephemeral, recipient, label)));
  }

  return {
    name: mlKem.name,
    async importKey(seed) {
      checkLength(seed, XWING_SEED, 'an X-Wing seed');
      const secrets = new Uint8Array(shake256(seed, { dkLen: ML_KEM_SEED + 32 }));
      try {
        const kemKey = await mlKem.importKey(secrets.subarray(0, ML_KEM_SEED));
        const agreement = await backEnd.importAgreementKey(secrets.subarray(ML_KEM_SEED));
        return {
          publicKey: concat(kemKey.publicKey, agreement.publicKey),
          async decapsulate(ciphertext) {
            const ephemeral = ciphertext.slice(ML_KEM_CIPHERTEXT);
            const secret = await kemKey.decapsulate(ciphertext.slice(0, ML_KEM_CIPHERTEXT));
            const shared = await agreement.agree(ephemeral);
            return combine(secret, shared, ephemeral, agreement.publicKey);
          },
        };
      } finally {
        secrets.fill(0);
      }
    },
    async encapsulate(publicKey, random) {
      const recipient = publicKey.slice(ML_KEM_PUBLIC_KEY);
      const inner = await mlKem.encapsulate(publicKey.slice(0, ML_KEM_PUBLIC_KEY), random);
      const ephemeral = await backEnd.importAgreementKey(random(32));
      const shared = await ephemeral.agree(recipient);
      return {
        ciphertext: concat(inner.ciphertext, ephemeral.publicKey),
        sharedSecret: combine(inner.sharedSecret, shared, ephemeral.publicKey, recipient),
      };
    },
  };
}

// Known answers for a seed of 64 sevens: the key's first bytes, and the secret in a ciphertext of
// zeros. Kyber and the drafts of FIPS 203 give others.
const PROBE_PUBLIC_KEY = '925a2700ad064ff778b4da4cf51457a48224a52751250a8ee10b251c818bafca';
const PROBE_REJECTION = 'e63a66e6885b88fbcc0d8ca82febb987dca1bdc73b15af1f15b6e81836326170';

/** Whether a back end gives the known answers, and opens what it encapsulates. */
export async function passesKemProbe(candidate: Kem): Promise<boolean> {
  try {
    const key = await candidate.importKey(new Uint8Array(ML_KEM_SEED).fill(7));
    const rejection = await key.decapsulate(new Uint8Array(ML_KEM_CIPHERTEXT));
    const zeros = (length: number): Bytes => new Uint8Array(length);
    const { ciphertext, sharedSecret } = await candidate.encapsulate(key.publicKey, zeros);
    return (
      hex.encode(key.publicKey.slice(0, 32)) === PROBE_PUBLIC_KEY &&
      hex.encode(rejection) === PROBE_REJECTION &&
      equal(await key.decapsulate(ciphertext), sharedSecret)
    );
  } catch {
    return false;
  }
}

/** X-Wing on the back ends of this environment, which are probed. */
export async function loadXWing(): Promise<Kem> {
  const native = await passesKemProbe(webCryptoMlKem);
  return xwingOn(native ? webCryptoMlKem : await nobleMlKem(), await curves());
}
