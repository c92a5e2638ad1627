/** What became of a promise, as a value to compare. */
import { inject } from 'vitest';
import {
  isEncryptionError,
  type EncryptionError,
  type ErrorCode,
} from 'twilio-chat-encryption/protocol';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether this run has all the time in the world (LONG=1). */
    longRuns: boolean;
  }
}

/** The code of the EncryptionError that `promise` is rejected with; any other outcome throws. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode> {
  return (await failureOf(promise)).code;
}

/** The EncryptionError that `promise` is rejected with; any other outcome throws. */
export async function failureOf(promise: Promise<unknown>): Promise<EncryptionError> {
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome.status === 'fulfilled') throw new Error('It was not rejected.');
  const error: unknown = outcome.reason;
  if (isEncryptionError(error)) return error;
  throw new Error('It was rejected with another error.', { cause: error });
}

/** How often a property that looks for accidents is tried. */
export function runs(usual: number, long = 100_000): number {
  return inject('longRuns') ? long : usual;
}
