/** What a device remembers of keys that it deleted, and of those whose time has begun to run. */
import type { CardId } from '../protocol/identifiers.ts';
import { arrayOf, isCardId, isCount, objectOf } from './shape.ts';
import { readState, updateState, type Records, type StateType } from './state.ts';

/** When the keys of a card were in use: milliseconds since 1970-01-01 UTC. */
export interface KeyUse {
  readonly id: CardId;
  readonly from: number;
  readonly to: number;
}

/** The keys that a device deleted. Errors are those of {@link updateState}. */
export interface DeletedKeys {
  readonly add: (uses: readonly KeyUse[]) => Promise<void>;
  /** Whether one of them was in use at that time. */
  readonly wasUsed: (at: number) => Promise<boolean>;
  /** The cards whose keys were deleted: they are not taken back from a backup, nor left in one. */
  readonly ids: () => Promise<ReadonlySet<CardId>>;
  /**
   * Notes that these cards have ended, by this device's clock; the log's might say anything.
   * @returns when each of them was noted first
   */
  readonly noteEnded: (ids: readonly CardId[], now: number) => Promise<ReadonlyMap<CardId, number>>;
}

const USES: StateType<readonly KeyUse[]> = {
  initial: [],
  isValid: arrayOf(objectOf<KeyUse>({ id: isCardId, from: isCount, to: isCount })),
};

/** A card that has ended. */
interface Ended {
  readonly id: CardId;
  readonly at: number;
}

const ENDED: StateType<readonly Ended[]> = {
  initial: [],
  isValid: arrayOf(objectOf<Ended>({ id: isCardId, at: isCount })),
};

const DELETED = 'deleted-keys';
const NOTED = 'ended-keys';

/** The keys that this device deleted. */
export function deletedKeys(records: Records): DeletedKeys {
  return {
    async add(uses) {
      await updateState(records, DELETED, USES, (known) => [...known, ...uses]);
    },
    async wasUsed(at) {
      const uses = await readState(records, DELETED, USES);
      return uses.some(({ from, to }) => at >= from && at <= to);
    },
    async ids() {
      return new Set((await readState(records, DELETED, USES)).map(({ id }) => id));
    },
    async noteEnded(ids, now) {
      const { after } = await updateState(records, NOTED, ENDED, (known) => {
        const fresh = ids.filter((id) => known.every((one) => one.id !== id));
        return fresh.length === 0 ? known : [...known, ...fresh.map((id) => ({ id, at: now }))];
      });
      return new Map(after.map(({ id, at }) => [id, at]));
    },
  };
}
