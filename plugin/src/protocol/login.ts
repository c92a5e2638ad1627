import { EncryptionError } from '../errors.ts';
import { lengthPrefixed } from './bytes.ts';
import { parseIdentity } from './identifiers.ts';
import {
  base64url,
  expandKey,
  hash,
  stretchPassword,
  utf8,
  type PasswordCost,
} from './primitives.ts';

// Constants, not parameters: a server that could name them could ask for cheap ones.
const COST: PasswordCost = { memory: 64 * 1024, passes: 3, lanes: 1 };

/**
 * The secret that signs a person in, derived on their device: the server never sees the password.
 * Argon2id (RFC 9106) with 64 MiB and 3 passes, salted with the deployment and the identity, so
 * that the same password gives another secret elsewhere.
 * @param origin names the deployment; from the application's configuration, never from a server
 * @returns base64url of 32 bytes
 * @throws EncryptionError `INVALID_IDENTITY`; `INVALID_ARGUMENT` when password or origin is empty
 */
export async function deriveAuthSecret(
  password: string,
  identity: string,
  origin: string,
): Promise<string> {
  const name = utf8(parseIdentity(identity));
  if (password.length === 0)
    throw new EncryptionError('INVALID_ARGUMENT', 'The password is empty.');
  if (origin.length === 0) throw new EncryptionError('INVALID_ARGUMENT', 'The origin is empty.');
  // Length-prefixed, so that no other pair of origin and identity has the same salt.
  const salt = hash('login-salt', lengthPrefixed(2, utf8(origin)), name);
  const stretched = await stretchPassword(password, salt, COST);
  return base64url.encode(expandKey(stretched, 'login-auth', [], 32));
}
