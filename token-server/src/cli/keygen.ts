import { randomBytes } from 'node:crypto';
import { base64url, curves } from 'twilio-chat-encryption/protocol';

/** A private key and what others know of it, both in base64url. */
export interface KeyPairText {
  /** The Ed25519 seed. */
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Makes a fresh Ed25519 key. */
export async function generateKeyPair(): Promise<KeyPairText> {
  const seed = Uint8Array.from(randomBytes(32));
  const { publicKey } = await (await curves()).importSigningKey(seed);
  return { privateKey: base64url.encode(seed), publicKey: base64url.encode(publicKey) };
}

/** `keygen`: prints a fresh key, ready to be appended to an environment file. */
export async function keygen(): Promise<void> {
  const { privateKey, publicKey } = await generateKeyPair();
  console.log(`# Public key, for clients to pin: ${publicKey}`);
  console.log(`APP_PRIVATE_KEY=${privateKey}`);
}
