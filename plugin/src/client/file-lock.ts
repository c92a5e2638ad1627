/** Locks between processes: the operating system's, which end with the process that holds them. */
import { open, type FileHandle } from 'node:fs/promises';
import { EncryptionError } from '../errors.ts';

const FIRST_PAUSE_MILLISECONDS = 1;
const LAST_PAUSE_MILLISECONDS = 10;

/**
 * Locks a file, which is made when it is not there and never deleted: another process may have it
 * open.
 * @returns the open file, whose closing unlocks it; null when others hold the lock until `deadline`
 * (of `performance.now()`)
 * @throws the errors of the file system; EncryptionError `KEY_STORE_UNAVAILABLE` where there are no such
 * locks
 */
export async function lockFile(path: string, deadline: number): Promise<FileHandle | null> {
  const { tryLock } = await locks();
  const file = await open(path, 'a', 0o600);
  try {
    let pause = FIRST_PAUSE_MILLISECONDS;
    // Waiting in the system would take one of the few threads that the holder needs for its files.
    while (!tryLock(file.fd)) {
      if (performance.now() >= deadline) {
        await file.close();
        return null;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(2 * pause, LAST_PAUSE_MILLISECONDS);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

// Loaded here: where it cannot be loaded, that is an error of the key store, not of the import.
async function locks() {
  try {
    return await import('fs-native-extensions');
  } catch (cause) {
    throw new EncryptionError(
      'KEY_STORE_UNAVAILABLE',
      'FileKeyStore needs fs-native-extensions, which cannot be loaded here. It is a binary beside its script: a bundler has to leave it out (external), and it has to be installed. There is none for Alpine Linux.',
      { cause },
    );
  }
}
