import { setTimeout as sleep } from 'node:timers/promises';
import { isLocked } from './checked-database.ts';

/** Carries out what may have to be tried again. `begin` is called when that is no longer allowed. */
export type Attempts = <T>(attempt: (begin: () => void) => Promise<T>) => Promise<T>;

/** For databases that wait themselves. */
export const once: Attempts = (attempt) => attempt(() => undefined);

const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 50;

/**
 * Waits for SQLite's lock while another process holds it. SQLite's own wait would stop this process
 * meanwhile: nobody could read, and who asks whether it is alive would take it for dead.
 *
 * @param patience - how long to go on trying, in milliseconds
 * @returns attempts that fail with what the last one failed with
 */
export function whileLocked(patience: number): Attempts {
  return async (attempt) => {
    const deadline = performance.now() + patience;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const work = { hasBegun: false };
      try {
        return await attempt(() => {
          work.hasBegun = true;
        });
      } catch (error) {
        if (work.hasBegun || !isLocked(error) || performance.now() > deadline) throw error;
      }
      // Not all at the same moment, so that nobody is always the second.
      await sleep(pause * (0.5 + Math.random()));
    }
  };
}
