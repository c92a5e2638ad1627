import type { Encryption, RemovalReason } from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** Whether this device's key is still there. */
export interface DeviceRemoval {
  /** Null while it is. */
  readonly reason: RemovalReason | null;
}

/** Follows whether this device's key is removed from the browser, or replaced, while the page is open. */
export function deviceRemovalOf(encryption: Encryption): Readable<DeviceRemoval> {
  const store = createStore<DeviceRemoval>({ reason: null });
  encryption.on('deviceRemoved', ({ reason }) => {
    store.set({ reason });
  });
  return store;
}
