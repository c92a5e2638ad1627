import type { Encryption } from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** Identities whose keys changed and were not acknowledged. */
export interface KeyChangeState {
  readonly identities: readonly string[];
  /** Whose devices did not vouch for one another when they were seen first, until that is put away. */
  readonly unconnected: readonly string[];
}

/** The key changes that the encryption reported. */
export interface KeyChanges extends Readable<KeyChangeState> {
  /** Trusts the new keys of an identity. */
  readonly acknowledge: (identity: string) => Promise<void>;
  /** Puts away that an identity's devices did not vouch for one another. */
  readonly dismiss: (identity: string) => void;
  /** Takes note that these cards are trusted now, since their safety number was compared. */
  readonly compared: (identity: string, cardIds: readonly string[]) => void;
}

/**
 * Collects key changes until they are acknowledged.
 * @param onAcknowledged is told afterwards, and after a comparison: messages may be judged otherwise now
 */
export function keyChangesOf(encryption: Encryption, onAcknowledged: () => void): KeyChanges {
  const store = createStore<KeyChangeState>({ identities: [], unconnected: [] });
  // What the banner that is shown stands for: only this is trusted when it is acknowledged.
  const reported = new Map<string, readonly string[]>();
  encryption.on('keyChanged', ({ identity, cardIds }) => {
    reported.set(identity, [...(reported.get(identity) ?? []), ...cardIds]);
    const { identities, unconnected } = store.get();
    store.set({ identities: [...new Set([...identities, identity])], unconnected });
  });
  encryption.on('unconnectedCards', ({ identity }) => {
    const { identities, unconnected } = store.get();
    store.set({ identities, unconnected: [...new Set([...unconnected, identity])] });
  });

  function dismiss(identity: string): void {
    const { identities, unconnected } = store.get();
    store.set({ identities, unconnected: unconnected.filter((one) => one !== identity) });
  }

  function settle(identity: string, cardIds: readonly string[]): void {
    const left = (reported.get(identity) ?? []).filter((id) => !cardIds.includes(id));
    if (left.length > 0) reported.set(identity, left);
    else reported.delete(identity);
    const { identities, unconnected } = store.get();
    store.set({ identities: identities.filter((one) => reported.has(one)), unconnected });
    onAcknowledged();
  }

  return {
    ...store,
    async acknowledge(identity) {
      const cardIds = reported.get(identity) ?? [];
      await encryption.acknowledge(identity, cardIds);
      settle(identity, cardIds);
    },
    dismiss,
    compared(identity, cardIds) {
      dismiss(identity);
      settle(identity, cardIds);
    },
  };
}
