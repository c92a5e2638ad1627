/** A channel as the sender posts to it. */
import type { Channel } from 'twilio-chat';
import type { Outlet } from '../client/sender.ts';
import { EncryptionError } from '../errors.ts';
import { parseChannelSid, parseIdentity } from '../protocol/identifiers.ts';
import { FILE_TYPE, isFileOf, KEY_ATTRIBUTES } from './key-file.ts';
import { serial } from './serial.ts';

/** Twilio's limit of a message body, in bytes of UTF-8 (error 50504). */
const MAX_BODY_BYTES = 32 * 1024;
// A message whose fate is unknown was sent moments ago, or just before the last run ended.
const MAX_SEARCHED = 100;

/** A channel's outlet. */
export interface ChannelOutlet {
  readonly outlet: Outlet;
  /** Runs what sends one after the other: messages arrive in the order of their numbers. */
  readonly inOrder: <T>(task: () => Promise<T>) => Promise<T>;
}

/** The outlet of a channel of the SDK. */
export function channelOutlet(raw: Channel): ChannelOutlet {
  return {
    inOrder: serial(),
    outlet: {
      get channelSid() {
        return parseChannelSid(raw.sid);
      },
      limit: MAX_BODY_BYTES,
      async members() {
        const members = await raw.getMembers();
        return members.map(({ identity }) => parseIdentity(identity));
      },
      post: (text) => uncertain(async () => checkIndex(await post(raw, text))),
      find: (text) => uncertain(() => find(raw, text)),
    },
  };
}

async function post(raw: Channel, text: string): Promise<number> {
  if (text.length <= MAX_BODY_BYTES) return raw.sendMessage(text);
  return raw.sendMessage({ contentType: FILE_TYPE, media: text }, KEY_ATTRIBUTES);
}

// Followers carry the index of their key message in 4 bytes.
function checkIndex(index: number): number {
  if (Number.isInteger(index) && index >= 0 && index < 2 ** 32) return index;
  throw new RangeError('Twilio gives the message no valid index.');
}

async function find(raw: Channel, text: string): Promise<number | null> {
  const { items } = await raw.getMessages(MAX_SEARCHED);
  for (const message of items) {
    if (message.body === text || (await isFileOf(message, text))) return message.index;
  }
  return null;
}

/**
 * An answer of Twilio with a status from 400 to 499 says that nothing was done. Everything else, a
 * broken connection above all, says nothing.
 */
async function uncertain<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (isRefusal(error)) throw error;
    throw new EncryptionError(
      'DELIVERY_UNKNOWN',
      'The connection to Twilio broke: the message may or may not have arrived.',
      { cause: error },
    );
  }
}

function isRefusal(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  // An upload that is refused has the status in its code; Twilio's own codes have five digits.
  const statuses = [Reflect.get(error, 'status'), Reflect.get(error, 'code')] as const;
  return statuses.some((status) => typeof status === 'number' && status >= 400 && status < 500);
}
