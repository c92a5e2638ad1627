import { invalidArgument, passwordArgument, textArgument } from '../arguments.ts';
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
 * @param origin names the deployment: the token server's `ORIGIN`, such as `https://chat.example`.
 * From the application's configuration, never from a server
 * @returns base64url of 32 bytes
 * @throws EncryptionError `INVALID_IDENTITY`; `INVALID_ARGUMENT` when the password is empty or not
 * well-formed text, or the origin is none
 */
export async function deriveAuthSecret(
  password: string,
  identity: string,
  origin: string,
): Promise<string> {
  const name = utf8(parseIdentity(textArgument(identity, 'identity')));
  if (passwordArgument(password) === '') throw invalidArgument('The password is empty.');
  if (!isOrigin(origin)) {
    throw invalidArgument(
      "origin must be an origin such as https://chat.example, in lower case and without a path or slash behind it: the token server's ORIGIN.",
    );
  }
  // Length-prefixed, so that no other pair of origin and identity has the same salt.
  const salt = hash('login-salt', lengthPrefixed(2, utf8(origin)), name);
  const stretched = await stretchPassword(password, salt, COST);
  return base64url.encode(expandKey(stretched, 'login-auth', [], 32));
}

// One spelling: another one of the same origin would be another salt, and sign nobody in.
function isOrigin(origin: unknown): boolean {
  return typeof origin === 'string' && URL.canParse(origin) && new URL(origin).origin === origin;
}
