import type { Channel } from 'twilio-chat';

// The roster follows over the same connection: this is long for it.
const PATIENCE_MILLISECONDS = 5000;

/**
 * Waits until the SDK's roster shows a membership that was just changed. The SDK resolves `add`
 * before its roster knows the new member: a message sent next would not be sealed for them.
 * Gives up after five seconds, for a connection that was lost meanwhile, and at once in a channel
 * whose roster this person may not read.
 */
export async function rosterShows(
  raw: Channel,
  identity: string,
  isMember: boolean,
): Promise<void> {
  const shows = async (): Promise<boolean> => {
    const members = await raw.getMembers().catch(() => null);
    return !members || members.some((member) => member.identity === identity) === isMember;
  };
  const name = isMember ? 'memberJoined' : 'memberLeft';
  let changed = (): void => undefined;
  const change = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MILLISECONDS);
    changed = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  const listener = (member: { readonly identity: string }): void => {
    if (member.identity === identity) changed();
  };
  // Listening comes before looking, or the event could pass between the two.
  raw.on(name, listener);
  try {
    if (await shows()) changed();
    await change;
  } finally {
    changed();
    raw.off(name, listener);
  }
}
