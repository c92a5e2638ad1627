import type { Encryption } from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** Whether this device's key is still there. */
export interface DeviceRemoval {
  readonly isRemoved: boolean;
}

/** Follows whether this device's key is removed from the browser while the page is open. */
export function deviceRemovalOf(encryption: Encryption): Readable<DeviceRemoval> {
  const store = createStore<DeviceRemoval>({ isRemoved: false });
  encryption.on('deviceRemoved', () => {
    store.set({ isRemoved: true });
  });
  return store;
}
