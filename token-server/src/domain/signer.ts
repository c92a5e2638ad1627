import { curves, type Bytes, type SigningKey } from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';

/**
 * Signs with a key that is kept elsewhere, as in a KMS or an HSM. Whatever it answers is verified before
 * it is used. It signs card approvals and revocations, or heads of the log: nothing else is asked of it.
 */
export interface Signer {
  /** The Ed25519 public key that clients pin, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The Ed25519 signature (RFC 8032, not prehashed) on these bytes: 64 bytes, within 10 seconds. */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
}

/** Where a private key is: its Ed25519 seed, 32 bytes, or who signs with it. */
export type KeySource = Bytes | Signer;

/** In milliseconds: longer than an HSM takes, shorter than clients wait. */
const PATIENCE = 10_000;

/**
 * The key of a source. Of a signer, `sign` rejects with ServerError `UNAVAILABLE` when it fails, takes too
 * long, or answers anything but the signature of its public key on exactly these bytes.
 *
 * @throws EncryptionError `INVALID_KEY` when the public key of a signer is none
 */
export async function signingKeyOf(source: KeySource): Promise<SigningKey> {
  const backEnd = await curves();
  if (source instanceof Uint8Array) return backEnd.importSigningKey(source);
  const publicKey = Uint8Array.from(source.publicKey);
  const verifying = await backEnd.importVerifyingKey(publicKey);
  return {
    publicKey,
    async sign(message) {
      const signature = await answerOf(source, message);
      if (await verifying.verify(signature, message)) return signature;
      throw unavailable(new Error('The signature is not one of its public key on these bytes'));
    },
  };
}

async function answerOf(signer: Signer, message: Bytes): Promise<Bytes> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`There was no answer within ${PATIENCE / 1000} s`));
  }, PATIENCE);
  try {
    // A copy: what is verified is what was to be signed.
    const signing = Promise.resolve(message.slice()).then((bytes) => signer.sign(bytes));
    return Uint8Array.from(await Promise.race([signing, late]));
  } catch (error) {
    throw unavailable(error);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(cause: unknown): ServerError {
  return new ServerError('UNAVAILABLE', 'The server cannot sign that now.', { cause });
}
