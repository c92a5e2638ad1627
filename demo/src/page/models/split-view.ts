import type { Encryption, SplitView } from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** Whether the server showed different people different keys. */
export interface SplitViewState {
  /** What proves it, to be given to whoever runs the server. */
  readonly evidence: SplitView | null;
  /** Whether it does not show this device what it told others of this person. */
  readonly isAuditFailed: boolean;
}

/** Follows whether the server was caught at it, now or on an earlier visit. */
export function splitViewOf(encryption: Encryption): Readable<SplitViewState> {
  const store = createStore<SplitViewState>({ evidence: null, isAuditFailed: false });
  encryption.on('splitView', (evidence) => {
    store.set({ ...store.get(), evidence });
  });
  encryption.on('auditFailed', () => {
    store.set({ ...store.get(), isAuditFailed: true });
  });
  encryption.splitView().then(
    (evidence) => {
      if (evidence) store.set({ ...store.get(), evidence });
    },
    // The key store does not answer, and says so wherever it is needed.
    () => undefined,
  );
  return store;
}
