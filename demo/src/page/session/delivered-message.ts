import type { Client, Media, Message } from 'twilio-chat';
import {
  START_LENGTH,
  storedText,
  type StoredFile,
  type StoredMessage,
} from '../models/stored-message.ts';

/** A message as Twilio delivers it, past the encryption: only to be looked at. */
export async function deliveredMessage(
  client: Client,
  channelSid: string,
  index: number,
): Promise<StoredMessage> {
  const channel = await client.getChannelBySid(channelSid);
  const { items } = await channel.getMessages(1, index);
  const message = items.find((one) => one.index === index);
  if (!message) throw new Error('Twilio has no such message any more.');
  return {
    text: storedText(message.body, message.attributes),
    file: await fileOf(message),
  };
}

// The types of Twilio's SDK say that there always is a file.
async function fileOf({
  media,
}: Pick<Message, 'type'> & { media: Media | null }): Promise<StoredFile | null> {
  if (!media) return null;
  const { filename, contentType, size } = media;
  return { name: filename, type: contentType, size, start: await startOf(media) };
}

async function startOf(media: Media): Promise<Uint8Array> {
  const response = await fetch(await media.getContentTemporaryUrl(), { credentials: 'omit' });
  if (!response.ok || !response.body) throw new Error(`Twilio answered ${response.status}.`);
  const reader = response.body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return (value ?? new Uint8Array()).slice(0, START_LENGTH);
}
