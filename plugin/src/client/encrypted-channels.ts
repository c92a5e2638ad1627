import type { CardId, ChannelSid } from '../protocol/identifiers.ts';
import type { KeyStore } from './key-store.ts';
import { readState, updateState, type StateType } from './state.ts';

/**
 * The channels in which something encrypted was sent or read. Encryption sticks to them: nobody who
 * decides later what is encrypted can turn it off. Errors are those of {@link updateState}.
 */
export interface EncryptedChannels {
  readonly has: (channelSid: ChannelSid) => Promise<boolean>;
  readonly add: (channelSid: ChannelSid) => Promise<void>;
}

const ENCRYPTED: StateType<boolean> = {
  initial: false,
  isValid: (value) => typeof value === 'boolean',
};

/** The encrypted channels of the device with this card. */
export function encryptedChannels(store: KeyStore, own: CardId): EncryptedChannels {
  const known = new Set<ChannelSid>();
  const nameOf = (channelSid: ChannelSid): string => `encrypted/${own}/${channelSid}`;
  return {
    has: async (channelSid) =>
      known.has(channelSid) || readState(store, nameOf(channelSid), ENCRYPTED),
    async add(channelSid) {
      if (known.has(channelSid)) return;
      await updateState(store, nameOf(channelSid), ENCRYPTED, () => true);
      known.add(channelSid);
    },
  };
}
