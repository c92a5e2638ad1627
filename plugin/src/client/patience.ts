import { isEncryptionError, type ErrorCode } from '../errors.ts';

const FIRST_MILLISECONDS = 250;
/** As long as the SDKs keep what is sent while they are disconnected. */
const PATIENCE_MILLISECONDS = 20_000;

/**
 * Tries again what fails for now, ever more slowly, for twenty seconds.
 * @param code what another try may mend; anything else is thrown at once
 */
export async function patiently<T>(code: ErrorCode, work: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MILLISECONDS;
  for (let delay = FIRST_MILLISECONDS; ; delay *= 2) {
    try {
      return await work();
    } catch (error) {
      if (!isEncryptionError(error, code) || Date.now() + delay > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}
