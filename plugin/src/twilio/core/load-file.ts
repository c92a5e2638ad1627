import { EncryptionError } from '../../errors.ts';
import type { PortFile } from './sdk.ts';

/**
 * Asks Twilio for a file, at the address that the SDK gives: it serves the bytes itself, to anybody who
 * has it. Twilio chooses it, so it is asked as anybody would ask: over https, without cookies, without
 * saying from where, and it leads nowhere else. What answers is nothing until it is decrypted.
 * @throws EncryptionError `FILE_UNREACHABLE`; the reason of the signal
 */
export async function loadFile(file: PortFile, signal: AbortSignal): Promise<Response> {
  let status = 'no answer';
  let cause: unknown;
  try {
    const response = await fetch(checkedUrl((await file.getContentTemporaryUrl()) ?? ''), {
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      // It could lead from https to a host behind the firewall of whoever runs this.
      redirect: 'error',
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

// Localhost is where an emulator is. Any page may have a browser ask there, and learns nothing either.
function checkedUrl(text: string): URL {
  const url = new URL(text);
  const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'https:' || (isLocal && url.protocol === 'http:')) return url;
  throw new TypeError('The address of a file must be https (http is for localhost only).');
}
