import type { DeliveredMessage } from './delivered.ts';

// Less than a message is held up for what is counted, and long for two events of one connection.
const PATIENCE_MILLISECONDS = 500;

/**
 * What `count` says of a live message once the roster had time to follow. An SDK tells of members
 * and of messages on two streams: somebody whom the sender saw join may still be on their way here,
 * and would be counted as a stranger. So it is counted again when somebody joins, until nothing is
 * left to count, for half a second.
 * @param count counts by the roster of now; does not reject
 */
export async function countedByRoster(
  delivered: Pick<DeliveredMessage, 'isLive' | 'watchJoins'>,
  count: () => Promise<number>,
): Promise<number> {
  if (!delivered.isLive) return 0;
  return new Promise((resolve) => {
    let last: Promise<number>;
    const end = (): void => {
      clearTimeout(timer);
      unwatch();
      resolve(last);
    };
    const recount = (): void => {
      last = count();
      void last.then((counted) => {
        if (counted === 0) end();
      });
    };
    const timer = setTimeout(end, PATIENCE_MILLISECONDS);
    // Listening comes before counting, or somebody could join between the two.
    const unwatch = delivered.watchJoins(recount);
    recount();
  });
}
