import type { Identity } from 'twilio-chat-encryption/protocol';
import { ServerError } from '../../domain/errors.ts';
import type { Limiters } from '../rate-limit.ts';

/**
 * Checks a secret under the limits of guessing, which all routes share that take one: whoever
 * guesses has no more tries by guessing here and there.
 *
 * @param check - rejects when the secret is wrong
 */
export async function underGuessLimits<T>(
  { signInByAddress, signInByPair, signInByIdentity }: Limiters,
  { identity, address }: { readonly identity: Identity; readonly address: string },
  check: () => Promise<T>,
): Promise<T> {
  // The address cannot contain a space, so no two pairs share a key.
  const pair = `${address} ${identity}`;
  // Counted before the secret is checked: a hundred guesses at once are a hundred guesses.
  await signInByAddress.consume(address);
  await signInByPair.consume(pair);
  await signInByIdentity.consume(identity);
  let result: T;
  try {
    result = await check();
  } catch (error) {
    // Nobody learned anything, and whoever has the right secret tries again.
    if (error instanceof ServerError && error.code === 'UNAVAILABLE') {
      await signInByPair.giveBack(pair);
      await signInByIdentity.giveBack(identity);
    }
    throw error;
  }
  await signInByPair.reset(pair);
  await signInByIdentity.giveBack(identity);
  return result;
}
