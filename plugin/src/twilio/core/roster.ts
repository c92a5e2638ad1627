import type { PortMember } from './sdk.ts';

/** How a roster tells of one change: the members now, and their coming or going. */
export interface Roster {
  members(): Promise<readonly PortMember[]>;
  /** Has `told` called when somebody comes, or when somebody goes; the result ends it. */
  watchMembers(isMember: boolean, told: (identity: string | null) => void): () => void;
}

// The roster follows over the same connection: this is long for it.
const PATIENCE_MILLISECONDS = 5000;

/**
 * Waits until the SDK's roster shows a membership that was just changed. The SDK resolves `add`
 * before its roster knows the new member: a message sent next would not be sealed for them.
 * Gives up after five seconds, for a connection that was lost meanwhile, and at once in a channel
 * whose roster this person may not read.
 */
export async function rosterShows(
  roster: Roster,
  identity: string,
  isMember: boolean,
): Promise<void> {
  const shows = async (): Promise<boolean> => {
    const members = await roster.members().catch(() => null);
    return !members || members.some((member) => member.identity === identity) === isMember;
  };
  let changed = (): void => undefined;
  const change = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MILLISECONDS);
    changed = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  // Listening comes before looking, or the event could pass between the two.
  const unwatch = roster.watchMembers(isMember, (who) => {
    if (who === identity) changed();
  });
  try {
    if (await shows()) changed();
    await change;
  } finally {
    changed();
    unwatch();
  }
}
