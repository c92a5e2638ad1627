import type { Encryption, OwnDevice } from 'twilio-chat-encryption';
import { createStore, type Readable } from './store.ts';

/** One's devices, as they were when they were asked for. */
export interface OwnDevicesState {
  /** Null until the first answer; newest last. */
  readonly devices: readonly OwnDevice[] | null;
  /** Why there was no answer the last time. */
  readonly failure: unknown;
}

/** The devices of whoever is signed in. */
export interface OwnDevices extends Readable<OwnDevicesState> {
  /** Asks again. What goes wrong is in the state. */
  readonly refresh: () => Promise<void>;
  /** Says that a device is one's own; others hear it from this one. */
  readonly confirm: (device: OwnDevice) => Promise<void>;
  /**
   * Ends a device for good.
   * @param compromisedSince since when somebody else may have it; null when it is merely not used
   */
  readonly remove: (device: OwnDevice, compromisedSince: Date | null) => Promise<void>;
  /** Gives this device new keys. */
  readonly renew: (password: string) => Promise<void>;
  /** Deletes the keys and all else of this device, after it was removed if that is wanted. */
  readonly erase: (withRemoval: boolean) => Promise<void>;
}

/** Whether a device is asked about: it is in use, and nobody said here that it is one's own. */
export function isUnknown({ status, trust, isThis }: OwnDevice): boolean {
  return status === 'live' && trust === 'changed' && !isThis;
}

/** Whether this device was removed, or replaced by somebody else: it can change nothing any more. */
export function isRevoked({ devices }: OwnDevicesState): boolean {
  return devices?.some(({ isThis, status }) => isThis && status !== 'live') ?? false;
}

/**
 * Follows the devices of whoever is signed in.
 * @param onChanged is told when messages may be judged otherwise now, or this device has other keys
 */
export function ownDevicesOf(encryption: Encryption, onChanged: () => void): OwnDevices {
  const store = createStore<OwnDevicesState>({ devices: null, failure: null });
  let asked = 0;

  async function refresh(): Promise<void> {
    asked += 1;
    const turn = asked;
    const answer = await encryption.devices().then(
      (devices) => ({ devices, failure: null }),
      (failure: unknown) => ({ failure }),
    );
    // An answer that was overtaken is an old one.
    if (turn === asked) store.patch(answer);
  }

  encryption.on('ownCardUnknown', () => void refresh());
  encryption.on('deviceRevoked', () => void refresh());
  void refresh();

  return {
    ...store,
    refresh,
    async confirm({ cardId }) {
      await encryption.acknowledge(encryption.identity, [cardId]);
      await refresh();
      onChanged();
    },
    async remove({ cardId }, compromisedSince) {
      await encryption.revoke(cardId, compromisedSince ? { compromisedSince } : {});
      await refresh();
      onChanged();
    },
    async renew(password) {
      await encryption.rotate(password);
      await refresh();
      onChanged();
    },
    async erase(withRemoval) {
      if (withRemoval) await encryption.revoke(encryption.cardId);
      await encryption.cleanup();
    },
  };
}
