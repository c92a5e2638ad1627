import type { Encryption, SplitView } from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** Whether the server showed different people different keys. */
export interface SplitViewState {
  /** What proves it, to be given to whoever runs the server. */
  readonly evidence: SplitView | null;
}

/** Follows whether the server was caught at it, now or on an earlier visit. */
export function splitViewOf(encryption: Encryption): Readable<SplitViewState> {
  const store = createStore<SplitViewState>({ evidence: null });
  encryption.on('splitView', (evidence) => {
    store.set({ evidence });
  });
  encryption.splitView().then(
    (evidence) => {
      if (evidence) store.set({ evidence });
    },
    // The key store does not answer, and says so wherever it is needed.
    () => undefined,
  );
  return store;
}
