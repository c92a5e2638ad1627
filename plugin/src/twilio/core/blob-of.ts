import type { Bytes } from '../../protocol/primitives.ts';

// What is read is handed to the browser in pieces of this size, which it may keep on disk.
const PIECE_LENGTH = 4 * 2 ** 20;

/**
 * Everything that a stream gives. Not `new Response(stream).blob()`: of a stream that fails, Chromium
 * tells that something failed, and not what.
 */
export async function blobOf(stream: ReadableStream<Bytes>): Promise<Blob> {
  const reader = stream.getReader();
  const pieces: Blob[] = [];
  let parts: Bytes[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob([...pieces, ...parts]);
    parts.push(value);
    length += value.length;
    if (length < PIECE_LENGTH) continue;
    pieces.push(new Blob(parts));
    [parts, length] = [[], 0];
  }
}
