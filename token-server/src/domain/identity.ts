import { EncryptionError, parseIdentity, type Identity } from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';

/**
 * Reads an identity that somebody wants to act under.
 *
 * @throws ServerError `INVALID_IDENTITY` with the rule that it breaks
 */
export function requireIdentity(value: unknown): Identity {
  try {
    return parseIdentity(value);
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    throw new ServerError('INVALID_IDENTITY', error.message, { cause: error });
  }
}

/** Whether anybody could have this identity at all. */
export function isIdentity(value: string): value is Identity {
  try {
    parseIdentity(value);
    return true;
  } catch {
    return false;
  }
}
