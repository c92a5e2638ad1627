import { concatBytes, randomBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EncryptionError,
  isEncryptionError,
  openData,
  openStream,
  sealData,
  sealStream,
  type Bytes,
  type ErrorCode,
  type SlotSealer,
} from 'twilio-chat-encryption/protocol';
import { paddedLength } from '../../src/protocol/padding.ts';
import { codeOf, runs } from '../outcomes.ts';
import { craftChunk, signedChunkBytes } from './malicious-member.ts';
import { person, random, slotsFor, type Person } from './people.ts';

const [alice, bob, carol] = [await person('alice'), await person('bob'), await person('carol')];
const FULL = 65_468;
const CIPHERTEXT = 65_552;

/** A stream of these bytes in pieces of these sizes, over and over. */
function streamOf(bytes: Uint8Array, pieces: readonly number[] = [10_000]): ReadableStream<Bytes> {
  const source = new Uint8Array(bytes);
  let [at, turn] = [0, 0];
  return new ReadableStream({
    pull(controller) {
      const size = pieces[turn++ % pieces.length] ?? 1;
      controller.enqueue(source.slice(at, at + size));
      at += size;
      if (at >= source.length) controller.close();
    },
  });
}

interface Reading {
  /** What came out. */
  readonly bytes: Uint8Array;
  /** The code of the error that it ended with. */
  readonly failure: ErrorCode | null;
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Reading> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { bytes: concatBytes(...parts), failure: null };
      parts.push(value);
    }
  } catch (error) {
    if (!isEncryptionError(error)) throw error;
    return { bytes: concatBytes(...parts), failure: error.code };
  }
}

async function seal(
  data: Uint8Array,
  recipients: readonly Person[] = [bob],
  pieces?: readonly number[],
): Promise<Uint8Array> {
  const slots = await slotsFor(recipients);
  const sealed = await sealStream(streamOf(data, pieces), alice.signingKey, slots, random);
  return (await readAll(sealed)).bytes;
}

async function openAs(
  reader: Person,
  source: ReadableStream<Uint8Array>,
  sender: Person = alice,
): Promise<ReadableStream<Bytes> | null> {
  const opener = { key: reader.encryptionKey, slotKeys: new Map<string, Bytes>() };
  const senders = [carol.card.signingKey, sender.card.signingKey];
  const opened = await openStream(source, opener, senders);
  if (opened) expect(opened.senderKey).toBe(sender.card.signingKey);
  return opened?.content ?? null;
}

async function read(sealed: Uint8Array, pieces?: readonly number[]): Promise<Reading> {
  const opened = await openAs(bob, streamOf(sealed, pieces));
  if (!opened) throw new Error('Not for Bob.');
  return readAll(opened);
}

interface Parts {
  readonly head: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}

function taken(sealed: Uint8Array): Parts {
  const length = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0);
  const chunks: Uint8Array[] = [];
  for (let at = 4 + length; at < sealed.length; at += CIPHERTEXT) {
    chunks.push(sealed.slice(at, at + CIPHERTEXT));
  }
  return { head: sealed.slice(0, 4 + length), chunks };
}

const joined = ({ head, chunks }: Parts): Uint8Array => concatBytes(head, ...chunks);

/** Bytes that tell where they are. */
const counting = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 255);

describe('a sealed stream', () => {
  test.each([0, 1, FULL - 1, FULL, FULL + 1, 2 * FULL, 3 * FULL + 500])(
    'of %i bytes comes out as it went in',
    async (length) => {
      const data = counting(length);
      const sealed = await seal(data);
      expect(await read(sealed)).toEqual({ bytes: data, failure: null });
      expect(taken(sealed).chunks).toHaveLength(Math.max(1, Math.ceil(length / FULL)));
    },
  );

  test('does not care in which pieces it is written and read', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 6 });
    const some = sizes.filter((all) => all.some((size) => size > 1000));
    await fc.assert(
      fc.asyncProperty(some, some, fc.nat(200_000), async (write, pieces, length) => {
        const data = counting(length);
        expect(await read(await seal(data, [bob, carol], write), pieces)).toEqual({
          bytes: data,
          failure: null,
        });
      }),
      { numRuns: Math.min(runs(15), 500) },
    );
  });

  test('is read byte by byte too', async () => {
    const data = counting(300);
    expect(await read(await seal(data, [bob], [1]), [1])).toEqual({ bytes: data, failure: null });
  });

  test('hides the length of a short one', async () => {
    expect((await seal(new Uint8Array())).length).toBe((await seal(counting(180))).length);
    const { chunks } = taken(await seal(counting(5000)));
    expect(chunks[0]?.length).toBe(paddedLength(64 + 4 + 5000) + 16);
  });

  test('is read no further than one chunk ahead', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Bytes>(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(new Uint8Array(FULL));
        },
      },
      { highWaterMark: 0 },
    );
    const sealed = await sealStream(endless, alice.signingKey, await slotsFor([bob]), random);
    const opened = await openAs(bob, sealed);
    const reader = opened?.getReader();
    expect((await reader?.read())?.value).toHaveLength(FULL);
    expect(pulled).toBeLessThanOrEqual(4);
    await reader?.cancel();
  });
});

describe('a stream that is cancelled or fails', () => {
  test('cancels its source, sealing and opening', async () => {
    const reasons: unknown[] = [];
    const source = new ReadableStream<Bytes>({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(1000));
      },
      cancel: (reason) => {
        reasons.push(reason);
      },
    });
    const sealed = await sealStream(source, alice.signingKey, await slotsFor([bob]), random);
    const opened = await openAs(bob, sealed);
    await opened?.cancel('enough');
    expect(reasons).toEqual(['enough']);
  });

  test('passes the error of its source on', async () => {
    const broken = new Error('The network went away.');
    const source = new ReadableStream<Bytes>({
      start: (controller) => {
        controller.error(broken);
      },
    });
    const sealed = await sealStream(source, alice.signingKey, await slotsFor([bob]), random);
    await expect(openAs(bob, sealed).then((opened) => opened?.getReader().read())).rejects.toBe(
      broken,
    );
  });

  test('is not begun without recipients, and frees the source', async () => {
    let cancelled = false;
    const source = new ReadableStream<Bytes>({
      cancel: () => {
        cancelled = true;
      },
    });
    const refusing: SlotSealer = {
      suite: 1,
      seal: () => Promise.reject(new EncryptionError('INVALID_ARGUMENT', 'No recipients.')),
    };
    expect(await codeOf(sealStream(source, alice.signingKey, refusing, random))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(cancelled).toBe(true);
  });

  test('is not begun when somebody else reads the source', async () => {
    const source = streamOf(counting(10));
    source.getReader();
    const slots = await slotsFor([bob]);
    expect(await codeOf(sealStream(source, alice.signingKey, slots, random))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await codeOf(openAs(bob, source))).toBe('INVALID_ARGUMENT');
  });

  test('is refused when it is not of bytes', async () => {
    const text = new ReadableStream<unknown>({
      start: (controller) => {
        controller.enqueue('text');
      },
    }) as ReadableStream<Uint8Array>;
    const sealed = await sealStream(text, alice.signingKey, await slotsFor([bob]), random);
    expect((await readAll(sealed)).failure).toBe('INVALID_ARGUMENT');
  });
});

describe('somebody on the way cannot', async () => {
  const data = counting(3 * FULL + 100);
  const whole = taken(await seal(data, [bob, carol]));
  const other = taken(await seal(counting(3 * FULL + 100).fill(9), [bob, carol]));
  const verified = (chunks: number): Uint8Array => data.slice(0, chunks * FULL);

  test('cut it off: what was verified comes out, and then an error', async () => {
    for (const count of [0, 1, 2, 3]) {
      const cut = joined({ ...whole, chunks: whole.chunks.slice(0, count) });
      const expected = verified(Math.max(0, count - 1));
      expect(await read(cut)).toEqual({ bytes: expected, failure: 'DECRYPTION_FAILED' });
    }
    const sealed = joined(whole);
    for (const less of [1, 16, 17, 1000]) {
      const { failure } = await read(sealed.slice(0, sealed.length - less));
      expect(failure).toBe('DECRYPTION_FAILED');
    }
    for (const length of [0, 3, 4, 100, whole.head.length - 1]) {
      expect(await codeOf(openAs(bob, streamOf(sealed.slice(0, length))))).toBe('MALFORMED');
    }
  });

  test.each<
    [string, (chunks: readonly Uint8Array[]) => readonly (Uint8Array | undefined)[], number]
  >([
    ['reorder it', ([a, b, c, d]) => [a, c, b, d], 1],
    ['repeat a chunk', ([a, b, c, d]) => [a, b, b, c, d], 2],
    ['leave a chunk out', ([a, , c, d]) => [a, c, d], 1],
    ['add behind its end', (chunks) => [...chunks, new Uint8Array([0])], 3],
    ['add a chunk behind its end', (chunks) => [...chunks, chunks[3]], 3],
    ['mix two streams', ([a, , c, d]) => [a, other.chunks[1], c, d], 1],
    ['change the end', ([a, b, c]) => [a, b, c, other.chunks[3]], 3],
  ])('%s', async (_what, change, good) => {
    const chunks = change(whole.chunks).map((chunk) => chunk ?? new Uint8Array());
    expect(await read(joined({ ...whole, chunks }))).toEqual({
      bytes: verified(good),
      failure: 'DECRYPTION_FAILED',
    });
  });

  test('put the chunks of one stream behind the head of another', async () => {
    const mixed = joined({ head: other.head, chunks: whole.chunks });
    expect(await read(mixed)).toEqual({ bytes: new Uint8Array(), failure: 'DECRYPTION_FAILED' });
  });

  test('change a bit of it', async () => {
    const sealed = joined(taken(await seal(counting(200))));
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 4;
      expect(await outcome(changed), `byte ${at}`).toBe('refused');
    }
  });

  test('take it for another’s: the sender is one of those named', async () => {
    const sealed = joined(whole);
    expect(await codeOf(openAs(bob, streamOf(sealed), bob))).toBe('BAD_SIGNATURE');
    expect(await openAs(alice, streamOf(sealed))).toBeNull();
  });

  test('pass the envelope of data off as one', async () => {
    const slots = await slotsFor([bob]);
    const { bytes } = await sealData('data', random(32), alice.signingKey, slots, random);
    const stream = concatBytes(
      new Uint8Array([0, 0, bytes.length >> 8, bytes.length & 255]),
      bytes,
    );
    expect(await codeOf(openAs(bob, streamOf(stream)))).toBe('MALFORMED');
  });
});

async function outcome(sealed: Uint8Array): Promise<'refused' | 'opened'> {
  try {
    const opened = await openAs(bob, streamOf(sealed));
    if (!opened) return 'refused';
    const { bytes, failure } = await readAll(opened);
    if (bytes.length > 0) return 'opened';
    return failure === null ? 'opened' : 'refused';
  } catch (error) {
    if (isEncryptionError(error)) return 'refused';
    throw error;
  }
}

const padded = (bytes: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(paddedLength(bytes.length));
  whole.set(bytes);
  return whole;
};

const prefixed = (data: Uint8Array): Uint8Array => {
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, data.length);
  return concatBytes(new Uint8Array(length.buffer), data);
};

describe('a fellow recipient, who knows the key of the stream, cannot', async () => {
  const data = counting(FULL + 100);
  const original = taken(await seal(data, [bob, carol]));
  const opener = { key: carol.encryptionKey, slotKeys: new Map<string, Bytes>() };
  const envelope = new Uint8Array(original.head.slice(4));
  const opened = await openData('stream', envelope, opener, [alice.card.signingKey]);
  const [key, hh] = [opened?.content ?? random(32), opened?.headerHash ?? random(32)];

  async function forge(last: boolean, said: Uint8Array, signer: Person): Promise<Uint8Array> {
    const digest = new Uint8Array(signedChunkBytes(hh, 1, last, said));
    const signature = await signer.signingKey.sign(digest);
    return craftChunk(key, 1, last, padded(concatBytes(signature, prefixed(said))));
  }

  const withEnd = (end: Uint8Array): Promise<Reading> =>
    read(joined({ ...original, chunks: [original.chunks[0] ?? new Uint8Array(), end] }));

  test('write another end', async () => {
    const forged = await withEnd(await forge(true, counting(50), carol));
    expect(forged).toEqual({ bytes: data.slice(0, FULL), failure: 'BAD_SIGNATURE' });
    // The same by Alice herself is right: it is the signature that is missing.
    const real = await withEnd(await forge(true, counting(50), alice));
    expect(real).toEqual({
      bytes: concatBytes(data.slice(0, FULL), counting(50)),
      failure: null,
    });
  });

  test('make a chunk the last one, with the signature that it has', async () => {
    // What Alice signed as chunk 1 of more, encrypted anew as the last one.
    const digest = new Uint8Array(signedChunkBytes(hh, 1, false, counting(50)));
    const signature = await alice.signingKey.sign(digest);
    const end = craftChunk(key, 1, true, padded(concatBytes(signature, prefixed(counting(50)))));
    expect((await withEnd(end)).failure).toBe('BAD_SIGNATURE');
  });

  test('make other pieces of what Alice said', async () => {
    const signature = randomBytes(64);
    const plaintexts: readonly Uint8Array[] = [
      concatBytes(signature, prefixed(counting(50))),
      padded(concatBytes(signature, prefixed(counting(50)))).fill(1, -1),
      signature,
      new Uint8Array(),
      padded(concatBytes(signature, prefixed(new Uint8Array()))),
      padded(concatBytes(signature, new Uint8Array([255, 0, 0, 0]))),
    ];
    for (const plaintext of plaintexts) {
      expect((await withEnd(craftChunk(key, 1, true, plaintext))).failure).toBe('MALFORMED');
    }
  });
});

test('a malicious sender cannot make a short chunk, or bring something else than a key', async () => {
  const slots = await slotsFor([bob]);
  const key = random(32);
  const { bytes, headerHash } = await sealData('stream', key, alice.signingKey, slots, random);
  const said = counting(50);
  const signed = new Uint8Array(signedChunkBytes(headerHash, 0, false, said));
  const signature = await alice.signingKey.sign(signed);
  const short = craftChunk(key, 0, false, padded(concatBytes(signature, prefixed(said))));
  const filler = new Uint8Array(CIPHERTEXT - short.length);
  expect((await read(concatBytes(prefixed(bytes), short, filler))).failure).toBe(
    'DECRYPTION_FAILED',
  );
  const full = concatBytes(signature, prefixed(said), new Uint8Array(65_536 - 68 - said.length));
  const oversized = craftChunk(key, 0, false, full);
  expect((await read(concatBytes(prefixed(bytes), oversized, short))).failure).toBe('MALFORMED');

  const wrong = await sealData('stream', random(31), alice.signingKey, slots, random);
  expect(await codeOf(openAs(bob, streamOf(prefixed(wrong.bytes))))).toBe('MALFORMED');
});
