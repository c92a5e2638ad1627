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
  { access, encryption }: Session,
  { get, patch }: ConversationStore,
): Members {
  async function refreshMembers(): Promise<void> {
    const identities = (await channel.getMembers().catch(() => [])).map((one) => one.identity);
    identities.sort((a, b) => a.localeCompare(b));
    const known = new Map(get().members.map((member) => [member.identity, member]));
    patch({
      members: identities.map(
        (identity) => known.get(identity) ?? { identity, hasCard: null, trust: [] },
      ),
    });
    const withCard = await access.withCard(identities).catch(() => null);
    if (!withCard) return;
    patch({
      members: get().members.map((member) => ({
        ...member,
        hasCard: withCard.has(member.identity),
      })),
    });
    await Promise.all([...withCard].map(refreshTrust));
  }

  async function refreshTrust(identity: string): Promise<void> {
    if (identity === encryption.identity) return;
    // Only decoration: without an answer nobody has a mark.
    const cards = await encryption.trustOf(identity).catch(() => []);
    const trust = cards.map((card) => card.trust);
    patch({
      members: get().members.map((member) =>
        member.identity === identity ? { ...member, trust } : member,
      ),
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
