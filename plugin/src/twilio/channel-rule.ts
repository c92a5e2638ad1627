import type { Channel } from 'twilio-chat';
import type { Device } from '../client/device.ts';
import { EncryptionError } from '../errors.ts';
import { parseChannelSid } from '../protocol/identifiers.ts';

/** Which channels are encrypted: all, or those of which a function of the application says so. */
export type ChannelChoice = 'all' | ((channel: Channel) => boolean);

/** The application's choice, and what it may not undo. */
export interface ChannelRule {
  /** Whether a channel is left as it is. Never one that was encrypted once. */
  readonly isClear: (raw: Channel) => Promise<boolean>;
  /**
   * As {@link isClear}, before something is sent.
   * @throws EncryptionError `NOT_SUPPORTED_ENCRYPTED` when the choice would undo encryption
   */
  readonly mayClear: (raw: Channel) => Promise<boolean>;
}

/** The rule of one device. */
export function channelRule(device: Device, choice: ChannelChoice): ChannelRule {
  const isChosen = (raw: Channel): boolean => choice === 'all' || choice(raw);
  const wasEncrypted = (raw: Channel): Promise<boolean> =>
    device.encryptedChannels.has(parseChannelSid(raw.sid));
  return {
    isClear: async (raw) => !isChosen(raw) && !(await wasEncrypted(raw)),
    async mayClear(raw) {
      if (isChosen(raw)) return false;
      if (!(await wasEncrypted(raw))) return true;
      throw new EncryptionError(
        'NOT_SUPPORTED_ENCRYPTED',
        'Not sent: this channel was encrypted before, and `channels` says that it is not now.',
      );
    },
  };
}
