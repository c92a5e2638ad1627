/** A large file passes through little memory, and others get their turn meanwhile. */
import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, inject, test } from 'vitest';
import { decryptMedia, encryptedMediaLength, encryptMedia } from 'twilio-chat-encryption/protocol';
import { random } from './people.ts';

setFlagsFromString('--expose-gc');

const MEGABYTE = 2 ** 20;
const SIZE = (inject('longRuns') ? 150 : 60) * MEGABYTE;
// What V8 leaves about between two collections is most of it.
const LIMIT = (inject('longRuns') ? 64 : 40) * MEGABYTE;
const PIECE = 256 * 1024;

/**
 * Frees what nobody holds. V8 itself waits until there are over 64 MB of it, also in a loop that only
 * makes arrays: how much there is at any one time would say nothing of this library.
 */
function collect(): void {
  // The first one leaves the arrays to a thread; the second waits for it.
  runInNewContext('gc(); gc();');
}

/** A file that is made as it is read. */
function largeFile(): ReadableStream<Uint8Array> {
  let left = SIZE / PIECE;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(new Uint8Array(PIECE).fill(left));
        left -= 1;
        if (left === 0) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

async function lengthOf(stream: ReadableStream<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

test('a large file is encrypted and decrypted in less memory than it has bytes', async () => {
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  collect();
  const before = used();
  let most = 0;
  let told = 0;
  const onProgress = (): void => {
    told += 1;
    if (told % 16 === 0) most = Math.max(most, used());
    if (told % 64 === 0) collect();
  };
  // It lives on, as the signal of a page does: nothing of the files may stay with it.
  const { signal } = new AbortController();
  let turns = 0;
  const others = setInterval(() => (turns += 1), 1);
  const { ciphertext, key } = encryptMedia(largeFile(), random, { onProgress, signal });
  const length = await lengthOf(ciphertext);
  const opening = await key;
  // The key is known at the end only: the same file again, under the same key, to be decrypted.
  const again = encryptMedia(largeFile(), () => opening.key.slice(), { signal });
  const size = await lengthOf(decryptMedia(again.ciphertext, opening, { onProgress, signal }));
  clearInterval(others);
  expect([size, opening.size]).toEqual([SIZE, SIZE]);
  expect(length).toBe(encryptedMediaLength(SIZE));
  expect(most).toBeGreaterThan(0);
  expect(most - before).toBeLessThan(LIMIT);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  // Nobody had to wait for all of it.
  expect(turns).toBeGreaterThan(20);
}, 120_000);
