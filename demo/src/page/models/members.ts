import type { Channel } from 'twilio-chat';
import type { Session } from '../session/session.ts';
import type { ConversationStore } from './conversation-state.ts';

/** Who is in a channel. */
export interface Members {
  readonly addMember: (identity: string) => Promise<void>;
  readonly removeMember: (identity: string) => Promise<void>;
  /** Asks again who is there and who has a card. */
  readonly refreshMembers: () => Promise<void>;
}

/** Follows the members of a channel. */
export function membersOf(
  channel: Channel,
  { access }: Session,
  { get, patch }: ConversationStore,
): Members {
  async function refreshMembers(): Promise<void> {
    const identities = (await channel.getMembers().catch(() => [])).map((one) => one.identity);
    identities.sort((a, b) => a.localeCompare(b));
    const known = new Map(get().members.map(({ identity, hasCard }) => [identity, hasCard]));
    patch({
      members: identities.map((identity) => ({ identity, hasCard: known.get(identity) ?? null })),
    });
    const withCard = await access.withCard(identities).catch(() => null);
    if (!withCard) return;
    patch({
      members: get().members.map(({ identity }) => ({ identity, hasCard: withCard.has(identity) })),
    });
  }

  const changed = (): void => void refreshMembers();
  channel.on('memberJoined', changed);
  channel.on('memberLeft', changed);
  return {
    refreshMembers,
    addMember: (identity) => channel.add(identity),
    removeMember: (identity) => channel.removeMember(identity),
  };
}
