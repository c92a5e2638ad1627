/** What a device remembers of keys that it deleted: when they were in use. */
import { arrayOf, isCount, objectOf } from './shape.ts';
import { readState, updateState, type Records, type StateType } from './state.ts';

/** When a key was in use: milliseconds since 1970-01-01 UTC. */
interface Use {
  readonly from: number;
  readonly to: number;
}

/** The keys that a device deleted. Errors are those of {@link updateState}. */
export interface DeletedKeys {
  readonly add: (uses: readonly Use[]) => Promise<void>;
  /** Whether one of them was in use at that time. */
  readonly wasUsed: (at: number) => Promise<boolean>;
}

const USES: StateType<readonly Use[]> = {
  initial: [],
  isValid: arrayOf(objectOf<Use>({ from: isCount, to: isCount })),
};

const NAME = 'deleted-keys';

/** The keys that this device deleted. */
export function deletedKeys(records: Records): DeletedKeys {
  return {
    async add(uses) {
      await updateState(records, NAME, USES, (known) => joined([...known, ...uses]));
    },
    async wasUsed(at) {
      return (await readState(records, NAME, USES)).some(({ from, to }) => at >= from && at <= to);
    },
  };
}

/** The same times in as few parts as there can be: keys follow one another. */
function joined(uses: readonly Use[]): readonly Use[] {
  const inOrder = [...uses].sort((one, other) => one.from - other.from);
  const parts: Use[] = [];
  for (const use of inOrder) {
    const last = parts.at(-1);
    if (last && use.from <= last.to) {
      parts[parts.length - 1] = { from: last.from, to: Math.max(last.to, use.to) };
    } else {
      parts.push(use);
    }
  }
  return parts;
}
