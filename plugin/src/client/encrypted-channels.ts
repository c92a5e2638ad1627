import { EncryptionError } from '../errors.ts';
import type { Suite } from '../protocol/header.ts';
import type { ChannelSid } from '../protocol/identifiers.ts';
import { readState, type Records, type StateType, updateState } from './state.ts';

/**
 * The channels in which something encrypted was sent or read. Encryption sticks to them, and so does
 * suite 2: nobody who decides later what is encrypted, and how, can turn it off. Errors are those of
 * {@link updateState}.
 */
export interface EncryptedChannels {
  readonly has: (channelSid: ChannelSid) => Promise<boolean>;
  /** Something of this suite was read there, or is about to be sent. */
  readonly add: (channelSid: ChannelSid, suite: Suite) => Promise<void>;
  /**
   * Checks that something of this suite may be sent there.
   * @throws EncryptionError `SUITE_DOWNGRADE` for suite 1 where suite 2 was sent or read
   */
  readonly checkSuite: (channelSid: ChannelSid, suite: Suite) => Promise<void>;
}

const USED: StateType<boolean> = {
  initial: false,
  isValid: (value) => typeof value === 'boolean',
};

/** The encrypted channels of a device. */
export function encryptedChannels(store: Records): EncryptedChannels {
  const known = new Set<string>();
  const encrypted = (channelSid: ChannelSid): string => `encrypted/${channelSid}`;
  const postQuantum = (channelSid: ChannelSid): string => `post-quantum/${channelSid}`;

  const has = async (name: string): Promise<boolean> =>
    known.has(name) || readState(store, name, USED);

  async function add(name: string): Promise<void> {
    if (known.has(name)) return;
    await updateState(store, name, USED, () => true);
    known.add(name);
  }

  return {
    has: (channelSid) => has(encrypted(channelSid)),
    async add(channelSid, suite) {
      await add(encrypted(channelSid));
      if (suite === 2) await add(postQuantum(channelSid));
    },
    async checkSuite(channelSid, suite) {
      if (suite === 2 || !(await has(postQuantum(channelSid)))) return;
      throw new EncryptionError(
        'SUITE_DOWNGRADE',
        "Not sent: this channel is encrypted with post-quantum keys, and this device's card has none. Open a device with postQuantum.",
      );
    },
  };
}
