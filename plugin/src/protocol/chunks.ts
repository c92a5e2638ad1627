/** Streams of bytes in chunks of one size, of which the last one is known to be it. */
import { EncryptionError } from '../errors.ts';
import type { Bytes } from './primitives.ts';

/** One piece of a stream. */
export interface Chunk {
  /** Of the agreed size; fewer, maybe none, in the last chunk only. */
  readonly bytes: Bytes;
  /** Counts the chunks, from 0. */
  readonly index: number;
  readonly last: boolean;
}

/** Reads a stream in pieces of any size. */
export interface StreamReader {
  /** The next `length` bytes; fewer when the stream ends before. Its errors are passed on. */
  readonly take: (length: number) => Promise<Bytes>;
  /** Tells the source that nothing more is wanted. */
  readonly cancel: (reason: unknown) => Promise<void>;
}

/**
 * A reader of `source`, which belongs to it from now on.
 * @throws EncryptionError `INVALID_ARGUMENT` when somebody else is reading it
 */
export function streamReader(source: ReadableStream<Uint8Array>): StreamReader {
  if (source.locked) {
    throw new EncryptionError('INVALID_ARGUMENT', 'Somebody else is reading the stream.');
  }
  const reader = source.getReader();
  let pending: Uint8Array = new Uint8Array();
  return {
    async take(length) {
      const taken = new Uint8Array(length);
      let have = 0;
      for (;;) {
        const part = pending.subarray(0, length - have);
        pending = pending.subarray(part.length);
        taken.set(part, have);
        have += part.length;
        if (have === length) return taken;
        const { done, value } = await reader.read();
        if (done) return taken.slice(0, have);
        checkBytes(value);
        pending = value;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

function checkBytes(value: unknown): void {
  if (value instanceof Uint8Array) return;
  throw new EncryptionError('INVALID_ARGUMENT', 'The stream must be one of Uint8Arrays.');
}

/**
 * A stream of what `change` makes of each chunk. It reads no further ahead than it must: one chunk,
 * to know which is the last. When `change` throws, so does the stream, and the source is cancelled.
 * @param size bytes of a chunk
 * @param head what comes first
 * @param signal ends the work at any time: the stream throws its reason, the source is cancelled
 */
export function mapChunks(
  source: StreamReader,
  size: number,
  change: (chunk: Chunk) => Bytes | Promise<Bytes>,
  { head = new Uint8Array(), signal }: { head?: Bytes; signal?: AbortSignal | undefined } = {},
): ReadableStream<Bytes> {
  const breathe = pauses();
  let current: Bytes | undefined;
  let index = 0;
  let ended = false;
  let forget = (): void => undefined;

  // The signal may outlive many streams.
  function end(): void {
    ended = true;
    forget();
  }

  async function cancel(reason: unknown): Promise<void> {
    end();
    await source.cancel(reason);
  }

  // What made the stream end is told, and at once: not how the source takes it, nor when.
  function cancelUnheard(reason: unknown): void {
    cancel(reason).catch(() => undefined);
  }

  async function advance(controller: ReadableStreamDefaultController<Bytes>): Promise<void> {
    for (;;) {
      await breathe();
      const bytes = current ?? (await source.take(size));
      const next = await source.take(size);
      // A source that was cancelled looks as if it were at its end.
      if (ended) return;
      const last = next.length === 0;
      const changed = await change({ bytes, index, last });
      [current, index] = [next, index + 1];
      // A reader may take an empty piece for the end.
      if (changed.length > 0) controller.enqueue(changed);
      if (last) {
        end();
        controller.close();
      }
      // A stream that was given nothing is not asked to pull again.
      if (changed.length > 0 || last) return;
    }
  }

  const wanted = {
    start(controller: ReadableStreamDefaultController<Bytes>): void {
      if (head.length > 0) controller.enqueue(head);
      if (!signal) return;
      const abort = (): void => {
        controller.error(signal.reason);
        cancelUnheard(signal.reason);
      };
      signal.addEventListener('abort', abort);
      forget = () => {
        signal.removeEventListener('abort', abort);
      };
      if (signal.aborted) abort();
    },
    async pull(controller: ReadableStreamDefaultController<Bytes>): Promise<void> {
      try {
        await advance(controller);
      } catch (error) {
        cancelUnheard(error);
        throw error;
      }
    },
    cancel,
  };
  return new ReadableStream(wanted, { highWaterMark: 0 });
}

// A frame of a page at 60 per second.
const WORK_MILLISECONDS = 16;

/**
 * Lets others work now and then: a stream from memory never waits for anything, and would hold up
 * the page from its first chunk to its last.
 */
function pauses(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < WORK_MILLISECONDS) return;
    await turn();
    since = performance.now();
  };
}

// Not a timer: browsers let those of a hidden page wait for a second, later for a minute.
async function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
  port1.close();
}
