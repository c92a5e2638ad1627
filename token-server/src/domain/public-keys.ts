import { curves, type Bytes, type VerifyingKey } from 'twilio-chat-encryption/protocol';
import { signingKeyOf, type KeySource } from './signer.ts';

/** What clients pin. */
export interface PublicKeys {
  /** The log's. */
  readonly logKey: VerifyingKey;
  /** Those that approve cards: the one of now, and then those of before. */
  readonly appKeys: readonly [VerifyingKey, ...VerifyingKey[]];
}

/**
 * The public halves of a server's keys.
 *
 * @throws EncryptionError `INVALID_KEY` for one that is none
 */
export async function publicKeysOf(keys: {
  readonly appKey: KeySource;
  readonly logKey: KeySource;
  readonly earlierAppKeys: readonly Bytes[];
}): Promise<PublicKeys> {
  const backEnd = await curves();
  const [appKey, logKey] = await Promise.all([
    signingKeyOf(keys.appKey),
    signingKeyOf(keys.logKey),
  ]);
  return {
    logKey: await backEnd.importVerifyingKey(logKey.publicKey),
    appKeys: [
      await backEnd.importVerifyingKey(appKey.publicKey),
      ...(await Promise.all(keys.earlierAppKeys.map((key) => backEnd.importVerifyingKey(key)))),
    ],
  };
}
