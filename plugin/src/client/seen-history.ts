/** When this device saw how much of its owner's history: what no log can date back. */
import type { ProvenHistory } from './card-log.ts';
import { arrayOf, isCount, objectOf } from './shape.ts';
import { readState, updateState, type Records, type StateType } from './state.ts';

/** What a device saw of its owner's history. */
export interface SeenHistory {
  /** Remembers that there is so much of it now. */
  add(history: Pick<ProvenHistory, 'count'>): Promise<void>;
  /**
   * How many entries this device had seen by then.
   * @param time by this device's clock: milliseconds since 1970-01-01 UTC
   * @returns null when it had not looked by then
   */
  countAt(time: number): Promise<number | null>;
}

interface Sight {
  readonly count: number;
  readonly at: number;
}

// A theft is noticed long before that many devices came and went.
const MAX_SIGHTS = 256;

const SIGHTS: StateType<readonly Sight[]> = {
  initial: [],
  isValid: arrayOf(objectOf<Sight>({ count: isCount, at: isCount })),
};

/** @param log the log's public key in base64url: each log counts for itself */
export function seenHistory(records: Records, log: string, now: () => number): SeenHistory {
  const name = `seen/${log}`;
  let latest = -1;
  return {
    async add({ count }) {
      if (count <= latest) return;
      await updateState(records, name, SIGHTS, (sights) => {
        const last = sights.at(-1);
        if (last && last.count >= count) return sights;
        return [...sights, { count, at: now() }].slice(-MAX_SIGHTS);
      });
      latest = count;
    },

    async countAt(time) {
      const sights = await readState(records, name, SIGHTS);
      return sights.findLast(({ at }) => at <= time)?.count ?? null;
    },
  };
}
