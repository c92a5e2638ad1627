import { base64url } from 'twilio-chat-encryption/protocol';
import { storedText, type StoredFile, type StoredMessage } from '../models/stored-message.ts';
import { member, text } from './json.ts';

/** What the demo's server says that the emulated Twilio stores; null when it is no such answer. */
export function storedAnswer(answer: unknown): StoredMessage | null {
  const body = text(answer, 'body');
  const file = fileOf(member(answer, 'file'));
  if (body === undefined || file === undefined) return null;
  return { text: storedText(body, member(answer, 'attributes')), file };
}

function fileOf(answer: unknown): StoredFile | null | undefined {
  if (answer === null) return null;
  const type = text(answer, 'type');
  const size = member(answer, 'size');
  const start = base64url.decode(text(answer, 'start') ?? '');
  if (type === undefined || typeof size !== 'number' || !start) return undefined;
  return { name: text(answer, 'name') ?? null, type, size, start };
}
