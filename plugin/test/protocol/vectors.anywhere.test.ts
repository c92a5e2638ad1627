/**
 * Public test vectors (Wycheproof, CCTV, X-Wing), read from the folder that VECTORS_DIR names, in
 * Node and in Chromium. Every group of vectors that we decide otherwise than they do is named here,
 * with the reason.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, inject, test } from 'vitest';
import { isEncryptionError, type Bytes, type Kem } from 'twilio-chat-encryption/protocol';
import {
  nobleMlKem,
  passesKemProbe,
  webCryptoMlKem,
  xwingOn,
} from '../../src/protocol/curves-xwing.ts';
import { nobleCurves } from '../../src/protocol/curves-noble.ts';
import { webCryptoCurves, type Curves } from '../../src/protocol/curves.ts';
import { decryptAtRest, encryptAtRest, hex, utf8 } from '../../src/protocol/primitives.ts';
import { random } from './people.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder that VECTORS_DIR names, or null. */
    vectorsFolder: string | null;
  }
}

const FOLDER = inject('vectorsFolder');
const title =
  FOLDER === null ? 'public vectors (skipped: VECTORS_DIR is not set)' : 'public vectors';

interface Vector {
  readonly tcId: number;
  readonly comment?: string;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface Group<V extends Vector> {
  /** Of signatures only. */
  readonly publicKey?: { readonly pk: string };
  readonly tests: readonly V[];
}

interface Suite<G> {
  readonly numberOfTests: number;
  readonly testGroups: readonly G[];
}

/** A file of the folder: from the disk, or in a browser from Vite, which serves it as /@fs/. */
async function read(name: string): Promise<unknown> {
  const path = `${FOLDER ?? ''}/${name}`;
  if ('window' in globalThis) return (await fetch(`/@fs${path}`)).json();
  const { readFile } = await import('node:fs/promises');
  return JSON.parse(await readFile(path, 'utf8'));
}

/** Reads a file of Wycheproof, whose schemas promise what the type argument says. */
async function wycheproof<V extends Vector>(name: string): Promise<readonly Group<V>[]> {
  const file = (await read(`wycheproof/${name}`)) as Suite<Group<V>>;
  expect(file.testGroups.flatMap(({ tests }) => tests)).toHaveLength(file.numberOfTests);
  return file.testGroups;
}

function bytes(text: string): Bytes {
  const decoded = hex.decode(text);
  if (!decoded) throw new TypeError(`Not hexadecimal: ${text}`);
  return decoded;
}

const name = ({ tcId, comment, flags }: Vector): string =>
  `${tcId} ${comment ?? ''} [${flags.join()}]`;

/** Whether a key that may be refused at import verifies this signature. */
async function verifies(
  backEnd: Curves,
  publicKey: Bytes,
  signature: Bytes,
  message: Bytes,
): Promise<boolean> {
  try {
    return await (await backEnd.importVerifyingKey(publicKey)).verify(signature, message);
  } catch (error) {
    if (isEncryptionError(error, 'INVALID_KEY')) return false;
    throw error;
  }
}

/** The shared secret, or null when the key is refused. */
async function agree(backEnd: Curves, secret: Bytes, publicKey: Bytes): Promise<string | null> {
  try {
    const key = await backEnd.importAgreementKey(secret);
    return hex.encode(await key.agree(publicKey));
  } catch (error) {
    if (isEncryptionError(error, 'INVALID_KEY')) return null;
    throw error;
  }
}

/** WebCrypto has no ML-KEM in every environment; that Node must, curves-xwing.anywhere.test.ts says. */
const ML_KEMS = [
  ...((await passesKemProbe(webCryptoMlKem)) ? [webCryptoMlKem] : []),
  await nobleMlKem(),
];

/** The public key of a seed and the secret in a ciphertext, or null when either is refused. */
async function decapsulate(
  kem: Kem,
  seed: Bytes,
  ciphertext: Bytes,
): Promise<{ publicKey: string; secret: string } | null> {
  try {
    const key = await kem.importKey(seed);
    const secret = hex.encode(await key.decapsulate(ciphertext));
    return { publicKey: hex.encode(key.publicKey), secret };
  } catch (error) {
    if (isEncryptionError(error, 'INVALID_KEY')) return null;
    throw error;
  }
}

interface XWingVector {
  readonly seed: string;
  readonly randomness: string;
  readonly pk: string;
  readonly ct: string;
  readonly ss: string;
}

async function xwingVectors(): Promise<readonly XWingVector[]> {
  const vectors = (await read('xwing/mlkem768-x25519.json')) as readonly XWingVector[];
  expect(vectors).toHaveLength(10);
  return vectors;
}

describe.skipIf(FOLDER === null)(title, () => {
  describe.each([webCryptoCurves, nobleCurves])('on $name', (backEnd) => {
    test('X25519, Wycheproof', async () => {
      type Agreement = Vector & { public: string; private: string; shared: string };
      for (const { tests } of await wycheproof<Agreement>('x25519_test.json')) {
        for (const vector of tests) {
          // RFC 7748 lets a library take these, "acceptable" in Wycheproof. We never do: a zero
          // secret is public, and a key with two encodings would have two names.
          const refused =
            vector.flags.includes('ZeroSharedSecret') ||
            vector.flags.includes('NonCanonicalPublic');
          const shared = await agree(backEnd, bytes(vector.private), bytes(vector.public));
          expect(shared, name(vector)).toBe(refused ? null : vector.shared);
          // All others, and nothing valid is among the refused.
          if (vector.result === 'valid') expect(refused, name(vector)).toBe(false);
        }
      }
    });

    test('Ed25519, Wycheproof', async () => {
      type Signature = Vector & { msg: string; sig: string };
      for (const { publicKey, tests } of await wycheproof<Signature>('ed25519_test.json')) {
        for (const vector of tests) {
          const [signature, message] = [bytes(vector.sig), bytes(vector.msg)];
          const accepted = await verifies(backEnd, bytes(publicKey?.pk ?? ''), signature, message);
          expect(accepted, name(vector)).toBe(vector.result === 'valid');
        }
      }
    });

    test('Ed25519, CCTV: accepted are those that leave no room for a choice', async () => {
      interface Edge {
        readonly number: number;
        readonly key: string;
        readonly sig: string;
        readonly msg: string;
        readonly flags: readonly string[] | null;
      }
      // Of these vectors an implementation may accept or refuse all, as long as it says so. Ours:
      // low_order_A, low_order_component_A, non_canonical_A   refused when the key is imported
      // low_order_component_R, low_order_residue   refused: the equation has no cofactor
      // non_canonical_R, reencoded_k   refused: R is compared byte for byte
      // low_order_R   refused, as WebCrypto's specification wants it
      const edges = (await read('cctv/ed25519vectors.json')) as readonly Edge[];
      expect(edges).toHaveLength(914);
      let accepting = 0;
      for (const { number, key, sig, msg, flags } of edges) {
        const allowed = (flags ?? []).length === 0;
        const accepted = await verifies(backEnd, bytes(key), bytes(sig), utf8(msg));
        expect(accepted, `${number} [${String(flags)}]`).toBe(allowed);
        if (accepted) accepting += 1;
      }
      expect(accepting).toBeGreaterThan(0);
    });
  });

  describe.each(ML_KEMS)('on ML-KEM of $name', (mlKem) => {
    test('ML-KEM-768, Wycheproof', async () => {
      // Invalid here is what has another length, and implicit rejection is valid: it gives a secret.
      // Flag Strcmp is among those, so nothing is decided otherwise.
      type Decapsulation = Vector & { seed: string; ek?: string; c: string; K: string };
      for (const { tests } of await wycheproof<Decapsulation>('mlkem_768_test.json')) {
        for (const vector of tests) {
          const opened = await decapsulate(mlKem, bytes(vector.seed), bytes(vector.c));
          if (vector.result === 'valid') {
            expect(opened?.secret, name(vector)).toBe(vector.K);
            expect(opened?.publicKey, name(vector)).toBe(vector.ek);
          } else {
            expect(opened, name(vector)).toBeNull();
          }
        }
      }
    });

    test('X-Wing, draft-connolly-cfrg-xwing-kem', async () => {
      const vectors = await xwingVectors();
      for (const backEnd of [webCryptoCurves, nobleCurves]) {
        const kem = await xwingOn(mlKem, backEnd);
        for (const [index, { seed, pk, ct, ss }] of vectors.entries()) {
          const opened = await decapsulate(kem, bytes(seed), bytes(ct));
          expect(opened, `vector ${index}`).toEqual({ publicKey: pk, secret: ss });
          // Ours to their key is opened by the other back end.
          const { ciphertext, sharedSecret } = await kem.encapsulate(bytes(pk), random);
          const other = await xwingOn(await nobleMlKem(), nobleCurves);
          const again = await decapsulate(other, bytes(seed), ciphertext);
          expect(again?.secret, `vector ${index}`).toBe(hex.encode(sharedSecret));
        }
      }
    });
  });

  test('X-Wing encapsulation on noble, which alone takes the randomness of the vectors', async () => {
    for (const backEnd of [webCryptoCurves, nobleCurves]) {
      const kem = await xwingOn(await nobleMlKem(), backEnd);
      for (const [index, { randomness, pk, ct, ss }] of (await xwingVectors()).entries()) {
        let rest = bytes(randomness);
        const sealed = await kem.encapsulate(bytes(pk), (length) => {
          const taken = rest.slice(0, length);
          rest = rest.slice(length);
          return taken;
        });
        expect(hex.encode(sealed.ciphertext), `vector ${index}`).toBe(ct);
        expect(hex.encode(sealed.sharedSecret), `vector ${index}`).toBe(ss);
        expect(rest).toHaveLength(0);
      }
    }
  });

  interface Sealed extends Vector {
    readonly key: string;
    readonly iv: string;
    readonly aad: string;
    readonly msg: string;
    readonly ct: string;
    readonly tag: string;
  }

  test('ChaCha20-Poly1305, Wycheproof', async () => {
    // encryptOnce and decryptOnce fix the nonce to zero, so this is the function under them.
    for (const { tests } of await wycheproof<Sealed>('chacha20_poly1305_test.json')) {
      for (const vector of tests) {
        const [key, iv, aad] = [bytes(vector.key), bytes(vector.iv), bytes(vector.aad)];
        const sealed = bytes(vector.ct + vector.tag);
        if (vector.result === 'valid') {
          const cipher = chacha20poly1305(key, iv, aad);
          expect(hex.encode(cipher.encrypt(bytes(vector.msg))), name(vector)).toBe(
            vector.ct + vector.tag,
          );
          expect(hex.encode(chacha20poly1305(key, iv, aad).decrypt(sealed))).toBe(vector.msg);
        } else {
          expect(() => chacha20poly1305(key, iv, aad).decrypt(sealed), name(vector)).toThrow();
        }
      }
    }
  });

  test('XChaCha20-Poly1305, Wycheproof', async () => {
    for (const { tests } of await wycheproof<Sealed>('xchacha20_poly1305_test.json')) {
      for (const vector of tests) {
        const [key, iv, aad] = [bytes(vector.key), bytes(vector.iv), bytes(vector.aad)];
        const sealed = bytes(vector.ct + vector.tag);
        const opened = decryptAtRest(key, iv, sealed, aad);
        if (vector.result === 'valid') {
          expect(hex.encode(opened ?? aad), name(vector)).toBe(vector.msg);
          expect(encryptAtRest(key, iv, bytes(vector.msg), aad), name(vector)).toEqual(sealed);
        } else {
          expect(opened, name(vector)).toBeNull();
        }
      }
    }
  });

  test('HKDF-SHA-256, Wycheproof', async () => {
    // extractKey and expandKey fix salt and info behind labels, so these are the functions they call.
    type Derivation = Vector & {
      ikm: string;
      salt: string;
      info: string;
      size: number;
      okm: string;
    };
    for (const { tests } of await wycheproof<Derivation>('hkdf_sha256_test.json')) {
      for (const vector of tests) {
        const key = extract(sha256, bytes(vector.ikm), bytes(vector.salt));
        const derive = (): Uint8Array => expand(sha256, key, bytes(vector.info), vector.size);
        if (vector.result === 'valid') expect(hex.encode(derive()), name(vector)).toBe(vector.okm);
        else expect(derive, name(vector)).toThrow();
      }
    }
  });

  test('HMAC-SHA-256, Wycheproof', async () => {
    // Only HKDF uses HMAC here: HKDF-Extract (RFC 5869 §2.2) is HMAC with the salt as key.
    type Mac = Vector & { key: string; msg: string; tag: string };
    for (const { tests } of await wycheproof<Mac>('hmac_sha256_test.json')) {
      for (const vector of tests) {
        const tag = hex.encode(extract(sha256, bytes(vector.msg), bytes(vector.key)));
        const same = tag.slice(0, vector.tag.length) === vector.tag;
        expect(same, name(vector)).toBe(vector.result === 'valid');
      }
    }
  });
});
