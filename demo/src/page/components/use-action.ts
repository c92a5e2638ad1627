import { useState } from 'react';
import { explain } from '../texts/failures.ts';

/** Something that was started by the user and takes a while. */
export interface Action {
  readonly busy: boolean;
  /** What went wrong the last time, in words. */
  readonly error: string | null;
  /** Starts it, unless the last one is still under way. */
  readonly run: (work: () => Promise<void>) => void;
}

/**
 * Runs one asynchronous thing at a time and remembers how it went.
 * @param words says what went wrong
 */
export function useAction(words: (error: unknown) => string = explain): Action {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  async function start(work: () => Promise<void>): Promise<void> {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (thrown) {
      setError(words(thrown));
    } finally {
      setBusy(false);
    }
  }

  return {
    busy,
    error,
    run: (work) => {
      if (!busy) void start(work);
    },
  };
}
