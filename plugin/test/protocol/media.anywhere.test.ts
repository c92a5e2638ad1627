import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decryptMedia,
  encryptedMediaLength,
  encryptMedia,
  type Bytes,
  type MediaKey,
} from 'twilio-chat-encryption/protocol';
import { concat, equal, hash } from '../../src/protocol/primitives.ts';
import { codeOf, runs } from '../outcomes.ts';
import { random } from './people.ts';

const CHUNK = 65_536;
const SEALED = CHUNK + 16;

/** A stream of these bytes in pieces of this length. */
function streamOf(bytes: Bytes, piece = 10_000): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at + piece));
      at += piece;
      if (at >= bytes.length) controller.close();
    },
  });
}

/** A stream of these bytes in pieces of these lengths, over and over; one of 0 is an empty piece. */
function piecesOf(bytes: Bytes, lengths: readonly number[]): ReadableStream<Uint8Array> {
  let at = 0;
  let turn = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const end = at + (lengths[turn % lengths.length] ?? 1);
      controller.enqueue(bytes.slice(at, end));
      turn += 1;
      at = end;
      if (at >= bytes.length) controller.close();
    },
  });
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    parts.push(value);
  }
}

/** Long enough for everything that waits for nothing but its turn. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

function file(length: number): Bytes {
  return Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 255);
}

async function encrypted(content: Bytes): Promise<{ ciphertext: Bytes; key: MediaKey }> {
  const { ciphertext, key } = encryptMedia(streamOf(content), random);
  return { ciphertext: await bytesOf(ciphertext), key: await key };
}

const opened = (ciphertext: Bytes, key: MediaKey): Promise<Bytes> =>
  bytesOf(decryptMedia(streamOf(ciphertext), key));

describe('a file', () => {
  test.each([0, 1, 255, 256, 257, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 200_000])(
    'of %i bytes comes out as it went in, of the length that was foretold',
    async (size) => {
      const content = file(size);
      const { ciphertext, key } = await encrypted(content);
      expect(key.size).toBe(size);
      expect(ciphertext.length).toBe(encryptedMediaLength(size));
      expect(await opened(ciphertext, key)).toEqual(content);
    },
  );

  // The second ends where a chunk does.
  test.each([8_450_000, 129 * CHUNK])(
    'of %i bytes comes out whole: several chunks behind it are padding alone',
    async (size) => {
      const content = file(size);
      const { ciphertext, key } = await encrypted(content);
      expect(ciphertext.length).toBeGreaterThan(content.length + 2 * SEALED);
      expect(equal(await opened(ciphertext, key), content)).toBe(true);
    },
  );

  test('of any size, read in any pieces, comes out as it went in', async () => {
    // Where a chunk, a block, or a Padmé size of its order ends.
    const borders = [0, 256, 4096, CHUNK, CHUNK + 2048, 2 * CHUNK, 3 * CHUNK];
    const size = fc
      .tuple(fc.constantFrom(...borders), fc.integer({ min: -2, max: 2 }))
      .map(([border, off]) => Math.max(0, border + off));
    const pieces = fc
      .array(fc.oneof(fc.nat(3), fc.nat(300_000)), { minLength: 1, maxLength: 5 })
      .map((lengths) => [...lengths, 30_000]);
    await fc.assert(
      fc.asyncProperty(size, pieces, pieces, async (length, out, back) => {
        const content = file(length);
        const { ciphertext, key } = encryptMedia(piecesOf(content, out), random);
        const bytes = await bytesOf(ciphertext);
        expect(bytes.length).toBe(encryptedMediaLength(length));
        const plaintext = await bytesOf(decryptMedia(piecesOf(bytes, back), await key));
        expect(equal(plaintext, content)).toBe(true);
      }),
      { numRuns: runs(60, 1000) },
    );
  });

  test('is read no faster than it is asked for', async () => {
    let pulls = 0;
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls += 1;
          controller.enqueue(new Uint8Array(CHUNK));
        },
      },
      { highWaterMark: 0 },
    );
    const reader = encryptMedia(source, random).ciphertext.getReader();
    await aWhile();
    expect(pulls).toBe(0);
    for (const read of [1, 2, 3]) {
      await reader.read();
      await aWhile();
      // One ahead, to know which is the last.
      expect(pulls).toBe(read + 1);
    }
    await reader.cancel();
  });

  test('lets others work meanwhile', async () => {
    let turns = 0;
    const others = setInterval(() => (turns += 1));
    await encrypted(file(8_000_000));
    clearInterval(others);
    expect(turns).toBeGreaterThan(0);
  });

  test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])('of %d bytes there is none', async (size) => {
    const { ciphertext, key } = await encrypted(file(10));
    const opening = (): unknown => decryptMedia(streamOf(ciphertext), { ...key, size });
    expect(await codeOf(Promise.resolve().then(opening))).toBe('INVALID_ARGUMENT');
  });

  test('does not care in which pieces it is read and written', async () => {
    const content = file(150_000);
    const { ciphertext, key } = await encrypted(content);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200_000 }), async (piece) => {
        const pieces = piece < 50 ? piece + 50 : piece;
        expect(await bytesOf(decryptMedia(streamOf(ciphertext, pieces), key))).toEqual(content);
      }),
      { numRuns: runs(20, 200) },
    );
  });

  test('hides its length as messages do, and its key in every file anew', async () => {
    const [one, two] = [await encrypted(file(100_000)), await encrypted(file(100_300))];
    expect(one.ciphertext.length).toBe(two.ciphertext.length);
    const again = await encrypted(file(100_000));
    expect(again.key.key).not.toEqual(one.key.key);
    const same = again.ciphertext.filter((byte, at) => byte === one.ciphertext[at]).length;
    expect(same / again.ciphertext.length).toBeLessThan(0.01);
  });

  test('tells of its progress, never backwards, and to the end', async () => {
    const content = file(300_000);
    const [out, back]: [number[], number[]] = [[], []];
    const { ciphertext, key } = encryptMedia(streamOf(content), random, {
      onProgress: (bytes) => out.push(bytes),
    });
    const bytes = await bytesOf(ciphertext);
    await bytesOf(
      decryptMedia(streamOf(bytes), await key, { onProgress: (done) => back.push(done) }),
    );
    for (const told of [out, back]) {
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(told.at(-1)).toBe(content.length);
      expect(told.length).toBeGreaterThan(3);
    }
  });

  test('has the form that the specification says, byte for byte', async () => {
    const content = file(CHUNK + 5);
    const { ciphertext, key } = await encrypted(content);
    const nonce = (index: number, last: number): Uint8Array =>
      Uint8Array.from({ length: 12 }, (_, at) => (at === 10 ? index : at === 11 ? last : 0));
    const padded = new Uint8Array(ciphertext.length - 2 * 16);
    padded.set(content);
    const expected = concat(
      chacha20poly1305(key.key, nonce(0, 0)).encrypt(padded.subarray(0, CHUNK)),
      chacha20poly1305(key.key, nonce(1, 1)).encrypt(padded.subarray(CHUNK)),
    );
    expect(ciphertext).toEqual(expected);
    expect(key.hash).toEqual(hash('media', ciphertext));
  });
});

describe('whoever stores a file cannot', () => {
  test.each<[string, (ciphertext: Bytes) => Bytes]>([
    ['cut it off inside a chunk', (all) => all.slice(0, -1)],
    ['cut it off between chunks', (all) => all.slice(0, 2 * SEALED)],
    ['take all of it', () => new Uint8Array()],
    ['take the first chunk out', (all) => all.slice(SEALED)],
    [
      'take a chunk out of the middle',
      (all) => concat(all.slice(0, SEALED), all.slice(2 * SEALED)),
    ],
    [
      'exchange chunks',
      (all) => concat(all.slice(SEALED, 2 * SEALED), all.slice(0, SEALED), all.slice(2 * SEALED)),
    ],
    ['repeat a chunk', (all) => concat(all.slice(0, SEALED), all)],
    ['add a byte', (all) => concat(all, new Uint8Array(1))],
    ['add a chunk', (all) => concat(all, all.slice(-SEALED))],
    ['go on without end', (all) => concat(all, new Uint8Array(5 * SEALED))],
  ])('%s', async (_what, change) => {
    const { ciphertext, key } = await encrypted(file(3 * CHUNK - 1000));
    expect(await codeOf(opened(change(ciphertext), key))).toBe('DECRYPTION_FAILED');
  });

  test('have the end come out when only the padding behind it was changed', async () => {
    const content = file(8_450_000);
    const { ciphertext, key } = await encrypted(content);
    ciphertext[ciphertext.length - 1] = (ciphertext.at(-1) ?? 0) ^ 1;
    const told: number[] = [];
    const onProgress = (bytes: number): void => void told.push(bytes);
    const reader = decryptMedia(streamOf(ciphertext), key, { onProgress }).getReader();
    let length = 0;
    const reading = (async () => {
      for (;;) length += (await reader.read()).value?.length ?? 0;
    })();
    expect(await codeOf(reading)).toBe('DECRYPTION_FAILED');
    expect(length).toBe(Math.floor(content.length / CHUNK) * CHUNK);
    expect(told.at(-1)).toBe(length);
  });

  test('go on behind the end: it is not read far, and told to stop', async () => {
    const { ciphertext, key } = await encrypted(file(3 * CHUNK));
    let given = 0;
    let cancelled: unknown;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = ciphertext.slice(given, given + SEALED);
        given += SEALED;
        controller.enqueue(piece.length > 0 ? piece : new Uint8Array(SEALED));
      },
      cancel: (reason) => {
        cancelled = reason;
      },
    });
    expect(await codeOf(bytesOf(decryptMedia(source, key)))).toBe('DECRYPTION_FAILED');
    expect(given).toBeLessThanOrEqual(ciphertext.length + 2 * SEALED);
    expect(cancelled).toMatchObject({ code: 'DECRYPTION_FAILED' });
  });

  test('change a bit anywhere', async () => {
    const { ciphertext, key } = await encrypted(file(CHUNK + 1000));
    await fc.assert(
      fc.asyncProperty(fc.nat(ciphertext.length - 1), fc.nat(7), async (at, bit) => {
        const changed = ciphertext.slice();
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(await codeOf(opened(changed, key))).toBe('DECRYPTION_FAILED');
      }),
      { numRuns: runs(100, 2000) },
    );
  });

  test('have any byte of a changed chunk come out', async () => {
    const content = file(3 * CHUNK);
    const { ciphertext, key } = await encrypted(content);
    ciphertext[SEALED + 7] = (ciphertext[SEALED + 7] ?? 0) ^ 1;
    const reader = decryptMedia(streamOf(ciphertext), key).getReader();
    expect((await reader.read()).value).toEqual(content.slice(0, CHUNK));
    expect(await codeOf(reader.read())).toBe('DECRYPTION_FAILED');
  });
});

describe('what the message says of its file is what the file must be:', () => {
  test.each<[string, (key: MediaKey) => MediaKey, string]>([
    ['another key', (key) => ({ ...key, key: random(32) }), 'DECRYPTION_FAILED'],
    ['another hash', (key) => ({ ...key, hash: random(32) }), 'DECRYPTION_FAILED'],
    ['much shorter', (key) => ({ ...key, size: key.size - 70_000 }), 'MALFORMED'],
    ['much longer', (key) => ({ ...key, size: key.size + 70_000 }), 'DECRYPTION_FAILED'],
    [
      'a little shorter: its end would be padding',
      (key) => ({ ...key, size: key.size - 1 }),
      'MALFORMED',
    ],
  ])('%s', async (_what, change, code) => {
    const { ciphertext, key } = await encrypted(file(200_000));
    expect(await codeOf(opened(ciphertext, change(key)))).toBe(code);
  });

  test('a sender who forges the tags of all chunks is stopped by the hash', async () => {
    const [one, two] = [await encrypted(file(1000)), await encrypted(file(1000))];
    // Another good file under the key that the message names.
    const key = { ...two.key, hash: one.key.hash };
    expect(await codeOf(opened(two.ciphertext, key))).toBe('DECRYPTION_FAILED');
  });
});

describe('a work that ends early', () => {
  /** A source that never ends, and tells when it was cancelled. */
  function endless(whenCancelled: () => Promise<void> = () => Promise.resolve()): {
    source: ReadableStream<Uint8Array>;
    cancelled: Promise<unknown>;
  } {
    let tell: (reason: unknown) => void = () => undefined;
    const cancelled = new Promise((resolve) => (tell = resolve));
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(50_000));
      },
      cancel: (reason) => {
        tell(reason);
        return whenCancelled();
      },
    });
    return { source, cancelled };
  }

  test('by an abort throws its reason, and cancels the source', async () => {
    const reason = new Error('The user went away.');
    const { source, cancelled } = endless();
    const controller = new AbortController();
    const { ciphertext, key } = encryptMedia(source, random, { signal: controller.signal });
    const reader = ciphertext.getReader();
    await reader.read();
    controller.abort(reason);
    await expect(
      (async () => {
        for (;;) await reader.read();
      })(),
    ).rejects.toBe(reason);
    expect(await cancelled).toBe(reason);
    await expect(key).rejects.toBe(reason);
  });

  test.each([
    [
      'encrypted',
      (source: ReadableStream<Uint8Array>, signal: AbortSignal) =>
        encryptMedia(source, random, { signal }).ciphertext,
    ],
    [
      'decrypted',
      (source: ReadableStream<Uint8Array>, signal: AbortSignal) =>
        decryptMedia(source, { key: random(32), size: 10, hash: random(32) }, { signal }),
    ],
  ])('by an abort is at its end also when nobody reads: %s', async (_what, work) => {
    const { source, cancelled } = endless();
    const controller = new AbortController();
    const stream = work(source, controller.signal);
    controller.abort('left');
    // Any reason, as it is.
    expect(await cancelled).toBe('left');
    await expect(bytesOf(stream)).rejects.toBe('left');
  });

  test('is not changed by a signal that comes later', async () => {
    const content = file(1000);
    const controller = new AbortController();
    const { signal } = controller;
    const { ciphertext, key } = encryptMedia(streamOf(content), random, { signal });
    const bytes = await bytesOf(ciphertext);
    const plaintext = decryptMedia(streamOf(bytes), await key, { signal }).getReader();
    expect((await plaintext.read()).value).toEqual(content);
    controller.abort();
    expect((await plaintext.read()).done).toBe(true);
  });

  test('is told at once, however the source takes it', async () => {
    const { key } = await encrypted(file(1000));
    const { source } = endless(() => new Promise(() => undefined));
    expect(await codeOf(bytesOf(decryptMedia(source, key)))).toBe('DECRYPTION_FAILED');
    const other = endless(() => Promise.reject(new Error('cannot stop')));
    expect(await codeOf(bytesOf(decryptMedia(other.source, key)))).toBe('DECRYPTION_FAILED');
  });

  test('by an abort does not wait for a source that hangs', async () => {
    const { key } = await encrypted(file(1000));
    const controller = new AbortController();
    const hanging = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    const reading = bytesOf(decryptMedia(hanging, key, { signal: controller.signal }));
    controller.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('by a signal that was aborted before does not begin', async () => {
    const { source, cancelled } = endless();
    const signal = AbortSignal.abort();
    await expect(
      bytesOf(encryptMedia(source, random, { signal }).ciphertext),
    ).rejects.toMatchObject({ name: 'AbortError' });
    await cancelled;
  });

  test('by its reader cancels the source', async () => {
    const { source, cancelled } = endless();
    const { ciphertext, key } = encryptMedia(source, random);
    await ciphertext.cancel('enough');
    expect(await cancelled).toBe('enough');
    await expect(key).rejects.toBe('enough');
  });

  test('in the middle, by the reader of a decrypted file, cancels the source', async () => {
    const { ciphertext, key } = await encrypted(file(3 * CHUNK));
    let cancelled: unknown;
    const source = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          controller.enqueue(ciphertext.slice());
        },
        cancel: (reason) => {
          cancelled = reason;
        },
      },
      { highWaterMark: 0 },
    );
    const reader = decryptMedia(source, key).getReader();
    await reader.read();
    await reader.cancel('enough');
    expect(cancelled).toBe('enough');
  });

  test('tells of no more progress, and nothing of what was waited for', async () => {
    let pulls = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1;
        if (pulls > 3) return new Promise(() => undefined);
        controller.enqueue(new Uint8Array(CHUNK));
        return undefined;
      },
    });
    const told: number[] = [];
    const { ciphertext, key } = encryptMedia(source, random, {
      onProgress: (bytes) => void told.push(bytes),
    });
    const reader = ciphertext.getReader();
    await reader.read();
    await reader.read();
    const waiting = reader.read();
    await aWhile();
    await reader.cancel('enough');
    expect((await waiting).done).toBe(true);
    await aWhile();
    expect(told).toEqual([CHUNK, 2 * CHUNK]);
    await expect(key).rejects.toBe('enough');
  });

  test('in the middle, by an error of the source, passes it on', async () => {
    const content = file(3 * CHUNK);
    const { ciphertext, key } = await encrypted(content);
    let pulls = 0;
    const breaking = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1;
        if (pulls > 2) throw new Error('network');
        controller.enqueue(ciphertext.slice((pulls - 1) * SEALED, pulls * SEALED));
      },
    });
    const reader = decryptMedia(breaking, key).getReader();
    expect((await reader.read()).value).toEqual(content.slice(0, CHUNK));
    await expect(reader.read()).rejects.toThrow('network');
  });

  test('by an error of the source passes it on', async () => {
    const failing = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        pull: () => {
          throw new Error('disk');
        },
      });
    const { ciphertext, key } = encryptMedia(failing(), random);
    await expect(bytesOf(ciphertext)).rejects.toThrow('disk');
    await expect(key).rejects.toThrow('disk');
    const known = (await encrypted(file(10))).key;
    await expect(bytesOf(decryptMedia(failing(), known))).rejects.toThrow('disk');
  });

  test('is refused when somebody else reads the source', async () => {
    const { source } = endless();
    source.getReader();
    expect(await codeOf(Promise.resolve().then(() => encryptMedia(source, random)))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});
