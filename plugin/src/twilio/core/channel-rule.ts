import type { Device } from '../../client/device.ts';
import { EncryptionError } from '../../errors.ts';
import { parseChannelSid } from '../../protocol/identifiers.ts';

/** A channel, or conversation, by what Twilio cannot change of it. */
export interface NamedChannel {
  readonly sid: string;
}

/** Which channels are encrypted: all, or those of which a function of the application says so. */
export type ChannelChoice = 'all' | ((channel: NamedChannel) => boolean);

/** The application's choice, and what it may not undo. */
export interface ChannelRule {
  /** Whether there is no channel that could be left as it is. */
  readonly isAll: boolean;
  /** Whether a channel is left as it is. Never one that was encrypted once. */
  readonly isClear: (channel: NamedChannel) => Promise<boolean>;
  /**
   * As {@link isClear}, before something is sent.
   * @throws EncryptionError `NOT_SUPPORTED_ENCRYPTED` when the choice would undo encryption
   */
  readonly mayClear: (channel: NamedChannel) => Promise<boolean>;
}

/**
 * Checks that it is a choice, before anything is opened with it.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkChannels(choice: ChannelChoice): void {
  if (choice === 'all' || typeof choice === 'function') return;
  throw new EncryptionError('INVALID_ARGUMENT', "channels is 'all' or a function.");
}

/** The rule of one device. */
export function channelRule(device: Device, choice: ChannelChoice): ChannelRule {
  // Nothing is clear because a function forgot to return, or returned a promise.
  function isChosen({ sid }: NamedChannel): boolean {
    const chosen: unknown = choice === 'all' || choice({ sid });
    if (typeof chosen === 'boolean') return chosen;
    throw new EncryptionError('INVALID_ARGUMENT', 'channels must return true or false.');
  }
  const wasEncrypted = (channel: NamedChannel): Promise<boolean> =>
    device.encryptedChannels.has(parseChannelSid(channel.sid));
  return {
    isAll: choice === 'all',
    isClear: async (channel) => !isChosen(channel) && !(await wasEncrypted(channel)),
    async mayClear(channel) {
      if (isChosen(channel)) return false;
      if (!(await wasEncrypted(channel))) return true;
      throw new EncryptionError(
        'NOT_SUPPORTED_ENCRYPTED',
        'Not sent: this channel was encrypted before, and `channels` says that it is not now.',
      );
    },
  };
}
