import { randomBytes } from 'node:crypto';
import { base64url, curves } from 'twilio-chat-encryption/protocol';
import { UsageError, type CommandCall } from './command.ts';

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

const USES = {
  app: { pin: 'appKey', variable: 'APP_PRIVATE_KEY' },
  log: { pin: 'logKey', variable: 'LOG_PRIVATE_KEY' },
} as const;

/** `keygen`: prints a fresh key, ready to be appended to an environment file, and what clients pin. */
export async function keygen({ words: [use = 'app'] }: CommandCall): Promise<void> {
  if (use !== 'app' && use !== 'log') throw new UsageError('A key is for app or for log.');
  const { pin, variable } = USES[use];
  const { privateKey, publicKey } = await generateKeyPair();
  console.log(`# Public key, for clients to pin as ${pin}: ${publicKey}`);
  console.log(`${variable}=${privateKey}`);
}
