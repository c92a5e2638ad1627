import type { PortMember } from './sdk.ts';

/** How a roster tells of one change: the members now, and their coming or going. */
export interface Roster {
  /** Whether this person is a member, as far as the SDK knows by now. */
  isJoined(): boolean;
  members(): Promise<readonly PortMember[]>;
  /** Has `told` called when somebody comes, or when somebody goes; the result ends it. */
  watchMembers(isMember: boolean, told: (identity: string | null) => void): () => void;
}

/** A roster that is right about whom this device removed, before the SDK's own shows it. */
export interface OwnRoster extends Roster {
  /**
   * Waits until the roster shows somebody who was just added: the SDK resolves `add` before, and a
   * message sent next would not be sealed for them. Gives up after five seconds, for a connection that
   * was lost meanwhile, and at once in a channel whose roster this person may not read: messages are not
   * for them until it shows them.
   */
  added(identity: string): Promise<void>;
  /**
   * Removes somebody, and waits likewise until the roster shows that. When it gives up, messages are not
   * for them anyway.
   */
  removing(identity: string, remove: () => Promise<unknown>): Promise<void>;
}

// The roster follows over the same connection: this is long for it.
const PATIENCE_MILLISECONDS = 5000;

/** The roster of a channel, which nobody was removed from yet. */
export function ownRoster(sdk: Roster): OwnRoster {
  // When somebody became the member that was removed. Who is added again is another one.
  const gone = new Map<string, number>();
  const isGone = ({ identity, dateCreated }: PortMember): boolean =>
    identity !== null && gone.get(identity) === Number(dateCreated);
  const joins = together((told) => sdk.watchMembers(true, told));
  const leaves = together((told) => sdk.watchMembers(false, told));
  const roster: Roster = {
    ...sdk,
    watchMembers: (isMember, told) => (isMember ? joins : leaves)(told),
  };
  return {
    ...roster,
    members: async () => (await sdk.members()).filter((member) => !isGone(member)),
    added: (identity) => shows(roster, identity, true),
    async removing(identity, remove) {
      const members = await sdk.members().catch(() => []);
      await remove();
      const member = members.find((one) => one.identity === identity);
      if (member) gone.set(identity, Number(member.dateCreated));
      await shows(roster, identity, false);
    },
  };
}

type Told = (identity: string | null) => void;

// An SDK's emitter warns of a leak at its eleventh listener, and every message that comes live may watch.
function together(watch: (told: Told) => () => void): (told: Told) => () => void {
  const watching = new Set<Told>();
  let unwatch = (): void => undefined;
  return (told) => {
    const one: Told = (identity) => {
      told(identity);
    };
    if (watching.size === 0) {
      unwatch = watch((identity) => {
        for (const each of [...watching]) each(identity);
      });
    }
    watching.add(one);
    return () => {
      if (watching.delete(one) && watching.size === 0) unwatch();
    };
  };
}

async function shows(roster: Roster, identity: string, isMember: boolean): Promise<void> {
  const isShown = async (): Promise<boolean> => {
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
    if (await isShown()) changed();
    await change;
  } finally {
    changed();
    unwatch();
  }
}
