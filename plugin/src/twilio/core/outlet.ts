/** A channel as the sender posts to it. */
import type { Delivery, Outlet } from '../../client/outlet.ts';
import { EncryptionError, isEncryptionError } from '../../errors.ts';
import { parseChannelSid, parseIdentity, type Identity } from '../../protocol/identifiers.ts';
import { KEY_ATTRIBUTES } from './envelope-place.ts';
import { isFileOf } from './key-file.ts';
import { uploadOf } from './outgoing-files.ts';
import type { ChannelPort } from './port.ts';
import type { Beside, PortMember, Readable } from './sdk.ts';
import { serial } from './serial.ts';

/** Nothing but the envelope. */
const ALONE: Beside = { attributes: {}, uploads: [] };
// A message whose fate is unknown was sent moments ago, or just before the last run ended.
const MAX_SEARCHED = 100;

/** A channel's outlet. */
export interface ChannelOutlet {
  readonly outlet: Outlet;
  /** Runs what sends one after the other: messages arrive in the order of their numbers. */
  readonly inOrder: <T>(task: () => Promise<T>) => Promise<T>;
}

/** How an envelope with something beside it gets into the channel. */
export function deliveryWith<Message extends Readable>(
  port: ChannelPort<Message>,
  beside: Beside,
): Delivery {
  return {
    limit: port.limit(beside),
    post: (text) => posted(port, () => port.post(text, beside)),
    find: (text) => uncertain(() => find(port, text)),
  };
}

/** The outlet of a channel of an SDK. */
export function channelOutlet<Message extends Readable>(port: ChannelPort<Message>): ChannelOutlet {
  return {
    inOrder: serial(),
    outlet: {
      get channelSid() {
        return parseChannelSid(port.sid);
      },
      limit: port.limit(ALONE),
      members: () => asMember(port, async () => identitiesOf(await port.members())),
      post: (text) => posted(port, () => post(port, text)),
      find: (text) => uncertain(() => find(port, text)),
    },
  };
}

/**
 * Whom messages are for. Conversations has members without an identity, reached by SMS and the like:
 * they get nothing, because Twilio would have to read it for them.
 * @throws EncryptionError `INVALID_IDENTITY`
 */
export function identitiesOf(members: readonly PortMember[]): Identity[] {
  return members.flatMap(({ identity }) => (identity === null ? [] : [identityOf(identity)]));
}

// Twilio takes identities that this library does not: the error names whom to remove.
function identityOf(text: string): Identity {
  try {
    return parseIdentity(text);
  } catch (cause) {
    throw new EncryptionError(
      'INVALID_IDENTITY',
      `Not sent: the channel has a member ${JSON.stringify(text).slice(0, 300)}, and nobody with this identity can have a card.`,
      { cause, identities: [text] },
    );
  }
}

function posted(
  port: Pick<ChannelPort, 'isJoined'>,
  action: () => Promise<number>,
): Promise<number> {
  return uncertain(async () => checkIndex(await asMember(port, action)));
}

/**
 * Of somebody who was removed meanwhile, one SDK says that Twilio forbids it; the other looks for what
 * it forgot, and throws a TypeError. What it says for another reason stays.
 * @throws EncryptionError `NOT_A_MEMBER`
 */
async function asMember<T>(
  port: Pick<ChannelPort, 'isJoined'>,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const isOut = !port.isJoined() && (error instanceof TypeError || statusOf(error) === 403);
    if (!isOut) throw error;
    throw new EncryptionError(
      'NOT_A_MEMBER',
      'Not sent: you are no member of this channel, or not any more.',
      { cause: error },
    );
  }
}

async function post<Message extends Readable>(
  port: ChannelPort<Message>,
  text: string,
): Promise<number> {
  if (text.length <= port.limit(ALONE)) return port.post(text, ALONE);
  return port.postFile(await uploadOf(new Blob([text])), KEY_ATTRIBUTES);
}

// Followers carry the index of their key message in 4 bytes.
function checkIndex(index: number): number {
  if (Number.isInteger(index) && index >= 0 && index < 2 ** 32) return index;
  throw new RangeError('Twilio gives the message no valid index.');
}

async function find<Message extends Readable>(
  port: ChannelPort<Message>,
  text: string,
): Promise<number | null> {
  const { items } = await port.page(MAX_SEARCHED);
  for (const message of items.map((item) => port.read(item))) {
    if (message.text === text || (await isFileOf(message, text))) return message.index;
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
  if (isEncryptionError(error, 'NOT_A_MEMBER')) return true;
  return (statusOf(error) ?? 500) < 500;
}

// An upload that is refused has the status in its code; Twilio's own codes have five digits.
function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null;
  const statuses: readonly unknown[] = [Reflect.get(error, 'status'), Reflect.get(error, 'code')];
  return (
    statuses.find((one): one is number => typeof one === 'number' && one >= 400 && one < 600) ??
    null
  );
}
