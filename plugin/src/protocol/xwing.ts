import { EncryptionError } from '../errors.ts';
import type { Kem } from './kem.ts';

let loaded: Promise<Kem> | undefined;

/**
 * X-Wing in this environment: loaded and probed at the first call.
 * @throws EncryptionError `POST_QUANTUM_UNAVAILABLE` when its code cannot be loaded; the next call
 * tries again
 */
export function xwing(): Promise<Kem> {
  return (loaded ??= load().catch((cause: unknown) => {
    loaded = undefined;
    throw new EncryptionError(
      'POST_QUANTUM_UNAVAILABLE',
      'The code of ML-KEM could not be loaded. Try again, or reload the page.',
      { cause },
    );
  }));
}

async function load(): Promise<Kem> {
  return (await import('./curves-xwing.ts')).loadXWing();
}
