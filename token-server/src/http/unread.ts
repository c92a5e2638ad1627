import type { Response } from 'express';
import { ServerError } from '../domain/errors.ts';

/** Of one identity, in bytes: four of the longest answers. */
const MOST_OF_ONE = 64 * 1024 * 1024;
/** Of all together. */
const MOST = 512 * 1024 * 1024;
/** In milliseconds; the longest answer comes in that time at 1.2 Mbit/s. */
const PATIENCE = 120_000;

/** Answers that wait in memory until their clients have fetched them. */
export interface Unread {
  /**
   * Counts an answer that is about to be sent, until it is fetched. Who takes too long for it is cut off.
   *
   * @param length - its bytes
   * @throws ServerError `RATE_LIMITED` when too much waits for this identity, `UNAVAILABLE` for all
   */
  add(identity: string, res: Response, length: number): void;
}

/**
 * Makes the count of a route. Limits of requests do not bound it: whoever asks for the longest answers
 * and reads none has gigabytes kept within a minute.
 */
export function createUnread(): Unread {
  const waiting = new Map<string, number>();
  let all = 0;

  function count(identity: string, change: number): void {
    const sum = (waiting.get(identity) ?? 0) + change;
    if (sum === 0) waiting.delete(identity);
    else waiting.set(identity, sum);
    all += change;
  }

  return {
    add(identity, res, length) {
      // Its end, which would take it off again, has come already.
      if (res.destroyed) return;
      if ((waiting.get(identity) ?? 0) + length > MOST_OF_ONE) {
        const message = 'Too much that you asked for waits for you. Read it first.';
        throw new ServerError('RATE_LIMITED', message, { retryAfter: 1 });
      }
      if (all + length > MOST) {
        throw new ServerError('UNAVAILABLE', 'Too many long answers are under way. Try again.');
      }
      count(identity, length);
      const timer = setTimeout(() => res.destroy(), PATIENCE);
      res.once('close', () => {
        clearTimeout(timer);
        count(identity, -length);
      });
    },
  };
}
