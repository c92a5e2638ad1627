import { ServerError } from './errors.ts';

/** Carries out work when its turn comes. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Makes turns, which are taken in the order in which they are asked for.
 *
 * @param atOnce - how many have theirs at the same time
 * @param mostWaiting - how many may wait; who comes then is refused with ServerError `UNAVAILABLE`
 */
export function createTurns(atOnce: number, mostWaiting: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function turn(): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (waiting.length >= mostWaiting) {
      throw new ServerError('UNAVAILABLE', 'Too many people sign in at this moment. Try again.');
    }
    // Whoever is done hands the place over, so that nobody comes in between.
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  return async (work) => {
    await turn();
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
