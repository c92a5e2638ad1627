/**
 * A key message for more cards than a message body holds travels as the file of a media message: the
 * file is the text that would be the body.
 */
import { boundedText } from '../../client/bounded-text.ts';
import type { DeliveredMessage } from '../../client/delivered.ts';
import { MAX_FILE_CHARACTERS } from '../../protocol/header.ts';
import { isKeyHint } from './envelope-place.ts';
import { loadFile } from './load-file.ts';
import type { PortFile, PortMessage } from './sdk.ts';

/** What Twilio is told about a file. */
export const FILE_TYPE = 'application/octet-stream';

const TIMEOUT_MILLISECONDS = 30_000;

/** The file of a message, if it has one that could be a key message. */
export function keyFile({ files, text, attributes }: PortMessage): DeliveredMessage['file'] {
  const [file] = files;
  // Beside an envelope, files are what it describes.
  if (!file || text !== '' || file.size > MAX_FILE_CHARACTERS) return null;
  return { isKey: isKeyHint(attributes), load: () => load(file) };
}

/** Whether the message is this text as a file. */
export async function isFileOf(message: PortMessage, text: string): Promise<boolean> {
  const file = keyFile(message);
  return file !== null && message.files[0]?.size === text.length && (await file.load()) === text;
}

async function load(file: PortFile): Promise<string> {
  const response = await loadFile(file, AbortSignal.timeout(TIMEOUT_MILLISECONDS));
  return boundedText(response, MAX_FILE_CHARACTERS);
}
