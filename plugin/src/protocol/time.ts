/** The last millisecond that a `Date` can hold (ECMA-262 §21.4.1.1). */
const LAST_TIME = 8.64e15;

/** Whether this is a time as the protocol has them: milliseconds since 1970-01-01 UTC. */
export function isTime(value: unknown): value is number {
  return (
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= LAST_TIME
  );
}
