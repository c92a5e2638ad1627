import { EncryptionError } from '../../errors.ts';
import type { PortFile } from './sdk.ts';

/**
 * Asks Twilio for a file.
 * @throws EncryptionError `FILE_UNREACHABLE`; the reason of the signal
 */
export async function loadFile(file: PortFile, signal: AbortSignal): Promise<Response> {
  let status = 'no answer';
  let cause: unknown;
  try {
    // Twilio chooses the address: it gets neither cookies nor where it is asked from.
    const response = await fetch(checkedUrl((await file.getContentTemporaryUrl()) ?? ''), {
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal,
    });
    if (response.ok) return response;
    status = `status ${response.status}`;
  } catch (error) {
    signal.throwIfAborted();
    cause = error;
  }
  throw new EncryptionError(
    'FILE_UNREACHABLE',
    `Twilio does not give the file (${status}). Try again later.`,
    { cause },
  );
}

function checkedUrl(text: string): URL {
  const url = new URL(text);
  const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'https:' || (local && url.protocol === 'http:')) return url;
  throw new TypeError('The address of a file must be https (http is for localhost only).');
}
