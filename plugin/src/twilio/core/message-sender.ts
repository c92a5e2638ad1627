/** What an application sends, on its way through encryption. */
import type { Device } from '../../client/device.ts';
import { random } from '../../client/random.ts';
import type { OutgoingContent } from '../../client/outlet.ts';
import type { ChannelRule } from './channel-rule.ts';
import { clearPart } from './clear-attributes.ts';
import { jsonCopy } from './json-copy.ts';
import { encryptFile, type MediaOptions, type OutgoingFile } from './outgoing-files.ts';
import { deliveryWith, type ChannelOutlet } from './outlet.ts';
import type { ChannelPort } from './port.ts';
import type { Beside, PortFile, Readable } from './sdk.ts';
import { serial } from './serial.ts';

/** A message of an application. */
export interface OutgoingMessage {
  readonly body?: string | undefined;
  readonly attributes?: unknown;
  readonly subject?: string | undefined;
  readonly files: readonly (FormData | MediaOptions)[];
}

/** What a message sender works with. */
export interface MessageSenderContext {
  readonly device: Device;
  readonly rule: ChannelRule;
  readonly outlet: ChannelOutlet;
  readonly clearAttributes: readonly string[];
  /** Throws when the channel's client is signed in as somebody else. */
  readonly checkSender: () => void;
}

/**
 * Sends messages of a channel, in the order in which they were given: a message with files when those
 * are encrypted and uploaded, which holds up no other.
 * @param message what is to be sent; asked at once, and what it throws counts if it is encrypted
 * @param inClear sends it as it is, in a channel that the application leaves so
 * @param signal gives it up before it is posted
 */
export type MessageSender = <Index>(
  message: () => OutgoingMessage,
  inClear: () => Promise<Index>,
  signal?: AbortSignal,
) => Promise<Index | number>;

/** The sender of one channel; errors are the device's and the SDK's. */
export function messageSender<Message extends Readable, File extends PortFile>(
  port: ChannelPort<Message, File>,
  { device, rule, outlet: { outlet, inOrder }, clearAttributes, checkSender }: MessageSenderContext,
): MessageSender {
  async function sendEncrypted(
    { body, attributes, subject }: OutgoingMessage,
    files: readonly OutgoingFile[],
    beside: Beside,
  ): Promise<number> {
    checkSender();
    const content: OutgoingContent = {
      ...(body !== undefined && { body }),
      ...(attributes !== undefined && { attributes }),
      ...(subject !== undefined && { subject }),
      ...(files.length > 0 && { media: files.map(({ descriptor }) => descriptor) }),
    };
    const isAlone = files.length === 0 && Object.keys(beside.attributes).length === 0;
    return device.send(outlet, content, isAlone ? outlet : deliveryWith(port, beside));
  }

  const inTurn = serial();
  return async (message, inClear, signal) => {
    const said = saidNow(message);
    if (await inTurn(() => rule.mayClear(port))) {
      // What is before it in the queue may have been encrypted: nothing goes out in the clear after it.
      const sent = await inOrder(async () =>
        (await rule.mayClear(port)) ? [await inClear()] : [],
      );
      const [index] = sent;
      if (index !== undefined) return index;
    }
    const outgoing = await said;
    const files: OutgoingFile[] = [];
    // One after the other: a message may have many, and each may be large.
    for (const file of outgoing.files) {
      signal?.throwIfAborted();
      files.push(await encryptFile(file, random));
    }
    const uploads = files.map(({ upload }) => upload);
    const beside = { attributes: clearPart(outgoing.attributes, clearAttributes), uploads };
    if (uploads.length > 0) {
      checkSender();
      await device.checkRecipients(outlet);
      await port.upload(beside, signal);
    }
    return inOrder(() => {
      signal?.throwIfAborted();
      return sendEncrypted(outgoing, files, beside);
    });
  };
}

// The SDKs write attributes as JSON when they are called. Here a message may wait for others, and
// meanwhile the application may go on using its objects: what they held at the call is sent.
function saidNow(message: () => OutgoingMessage): Promise<OutgoingMessage> {
  const said = new Promise<OutgoingMessage>((resolve) => {
    const outgoing = message();
    resolve({ ...outgoing, attributes: jsonCopy(outgoing.attributes) });
  });
  // In a channel that is left in the clear nobody asks.
  said.catch(() => undefined);
  return said;
}
