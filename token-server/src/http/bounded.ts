import { ServerError } from '../domain/errors.ts';

/** However many ask at once, the work is done once, and all get what comes of it. */
export function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined;
  return () => {
    current ??= work().finally(() => {
      current = undefined;
    });
    return current;
  };
}

/**
 * Waits for the database no longer than this. The work itself goes on.
 *
 * @throws ServerError `UNAVAILABLE`
 */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new ServerError('UNAVAILABLE', 'The database does not answer in time.'));
    }, milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
