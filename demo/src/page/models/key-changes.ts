import type { Encryption } from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** Identities whose keys changed and were not acknowledged. */
export interface KeyChangeState {
  readonly identities: readonly string[];
}

/** The key changes that the encryption reported. */
export interface KeyChanges extends Readable<KeyChangeState> {
  /** Trusts the new keys of an identity. */
  readonly acknowledge: (identity: string) => Promise<void>;
}

/**
 * Collects key changes until they are acknowledged.
 * @param onAcknowledged is told afterwards: messages may be judged otherwise now
 */
export function keyChangesOf(encryption: Encryption, onAcknowledged: () => void): KeyChanges {
  const store = createStore<KeyChangeState>({ identities: [] });
  encryption.on('keyChanged', ({ identity }) => {
    const { identities } = store.get();
    store.set({ identities: [...new Set([...identities, identity])] });
  });
  return {
    ...store,
    async acknowledge(identity) {
      await encryption.acknowledge(identity);
      store.set({ identities: store.get().identities.filter((one) => one !== identity) });
      onAcknowledged();
    },
  };
}
