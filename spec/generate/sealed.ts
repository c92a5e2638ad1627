/** Vectors of sealed data and of sealed streams. */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import { sealData, sealStream, type Bytes, type SlotSealer } from 'twilio-chat-encryption/protocol';
import type { EnvelopeFile, PartsFile, SealedDataCase, SealedStreamCase } from '../vector-files.ts';
import { craft, flipped, L, oddSignature, padded, uint, type HeaderParts } from './craft.ts';
import { message, seal } from './messages.ts';
import { alice, bob, carol, cast, person, pqSlotsFor, slotsFor, type Person } from './people.ts';
import { bytesOf, source } from './source.ts';

const encoded = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);
const keyOf = ({ signingKey }: Person): string => bytesToHex(signingKey.publicKey);
const bob2 = await person('bob/suite 2', { pq: true });

const DATA = new Uint8Array(utf8ToBytes('a long report'));
const MODES = { data: 0, stream: 1 } as const;

interface Claims {
  readonly mode?: 'data' | 'stream';
  readonly reader?: string;
  readonly senders?: readonly Person[];
}

function dataCase(
  name: string,
  result: string,
  envelope: Uint8Array,
  { mode = 'data', reader = 'bob', senders = [carol, alice] }: Claims = {},
  content?: Uint8Array,
): SealedDataCase {
  return {
    name,
    result,
    envelope: encoded(envelope),
    mode,
    reader,
    senders: senders.map(keyOf),
    ...(content && { data: { content: bytesToHex(content), senderKey: keyOf(alice) } }),
  };
}

async function sealed(
  name: string,
  content: Bytes,
  mode: 'data' | 'stream' = 'data',
  slots?: SlotSealer,
): Promise<Bytes> {
  const own = slots ?? (await slotsFor([bob], source(`${name}/slots`)));
  return (await sealData(mode, content, alice.signingKey, own, source(name))).bytes;
}

interface Deviation {
  readonly header?: HeaderParts;
  readonly purpose?: 'message' | 'sealed';
  readonly senderKey?: Uint8Array;
  readonly mode?: number;
  readonly content?: Uint8Array;
  readonly contentLength?: number;
  readonly signer?: Person;
  readonly sign?: (toSign: Bytes) => Bytes;
  readonly plaintext?: (signature: Uint8Array, said: Uint8Array) => Uint8Array;
}

/** Sealed data by the specification, but for one deviation. Alice to Bob otherwise. */
async function crafted(
  name: string,
  deviation: Deviation = {},
): Promise<{ readonly bytes: Bytes; readonly headerHash: Uint8Array }> {
  const { header = {}, content = DATA, mode = MODES.data, signer = alice } = deviation;
  const random = source(name);
  const m = random(32);
  const slots = [{ publicKey: bob.card.encryptionKey, wraps: m }];
  const made = craft({ type: 4, slots, ...header }, random, deviation.purpose ?? 'sealed');
  const said = concatBytes(
    deviation.senderKey ?? alice.signingKey.publicKey,
    uint(mode, 1),
    uint(deviation.contentLength ?? content.length, 4),
    content,
  );
  const toSign = made.toSign(said);
  const signature = deviation.sign?.(toSign) ?? (await signer.signingKey.sign(toSign));
  const plaintext = deviation.plaintext?.(signature, said) ?? padded(concatBytes(signature, said));
  return { bytes: made.seal(m, plaintext), headerHash: made.headerHash };
}

async function craftedCase(
  name: string,
  result: string,
  deviation: Deviation = {},
  claims: Claims = {},
): Promise<SealedDataCase> {
  const { bytes } = await crafted(name, deviation);
  return dataCase(name, result, bytes, claims, result === 'ok' ? DATA : undefined);
}

/** `sealed-data.json`. */
export async function sealedDataVectors(): Promise<EnvelopeFile<SealedDataCase>> {
  const bytes = await sealed('sealed data', DATA);
  const end = 54 + 36;
  const suite2 = await sealed('suite 2', DATA, 'data', pqSlotsFor([bob2], source('sealed 2')));
  const carrier = await seal('carrier', message(alice));
  const streamKey = bytesOf('stream key');
  const ofStream = await sealed('mode 1', streamKey, 'stream');
  const flips: readonly (readonly [string, number, string, number?])[] = [
    ['version', 0, 'UNSUPPORTED_VERSION'],
    ['type, to carrier', 1, 'MALFORMED', 5],
    ['flags', 3, 'MALFORMED'],
    ['nonce', 4, 'NOT_ADDRESSED'],
    ['ephemeral key', 20, 'COMMITMENT_MISMATCH'],
    ['hint', 54, 'NOT_ADDRESSED'],
    ['wrapped key', 58, 'COMMITMENT_MISMATCH'],
    ['commitment', end, 'COMMITMENT_MISMATCH'],
    ['ciphertext', end + 32, 'DECRYPTION_FAILED'],
  ];
  return {
    description: 'Sealed data: envelopes of type 4, as bytes in base64url.',
    page: 'sealed-data.md',
    ...cast({ alice, bob, carol, 'bob 2': bob2 }),
    cases: [
      dataCase('data for Bob', 'ok', bytes, {}, DATA),
      dataCase('no bytes', 'ok', await sealed('empty', new Uint8Array()), {}, new Uint8Array()),
      dataCase('of suite 2', 'ok', suite2, { reader: 'bob 2' }, DATA),
      dataCase('what opens a stream', 'ok', ofStream, { mode: 'stream' }, streamKey),
      await craftedCase('made by the specification alone', 'ok'),
      dataCase('no slot for Carol', 'NOT_ADDRESSED', bytes, { reader: 'carol' }),
      dataCase('data where a stream is expected', 'MALFORMED', bytes, { mode: 'stream' }),
      dataCase('a stream where data is expected', 'MALFORMED', ofStream),
      dataCase('a sender who is not among those named', 'BAD_SIGNATURE', bytes, {
        senders: [carol],
      }),
      dataCase('nobody named as sender', 'BAD_SIGNATURE', bytes, { senders: [] }),
      dataCase('a message of a channel', 'MALFORMED', carrier.bytes),
      ...flips.map(([what, at, result, bits]) =>
        dataCase(`a flipped bit in the ${what}`, result, flipped(bytes, at, bits)),
      ),
      dataCase('a byte less', 'DECRYPTION_FAILED', bytes.slice(0, -1)),
      dataCase('a byte more', 'DECRYPTION_FAILED', concatBytes(bytes, Uint8Array.of(0))),
      dataCase('cut in its header', 'MALFORMED', bytes.slice(0, 60)),
      dataCase('nothing', 'MALFORMED', new Uint8Array()),
      await craftedCase('of type 1, under the keys of sealed data', 'MALFORMED', {
        header: { type: 1 },
      }),
      await craftedCase('under the keys of a message', 'COMMITMENT_MISMATCH', {
        purpose: 'message',
      }),
      await craftedCase('of mode 2', 'MALFORMED', { mode: 2 }),
      await craftedCase('signed by another', 'BAD_SIGNATURE', { signer: carol }),
      await craftedCase('naming another who did not sign', 'BAD_SIGNATURE', {
        senderKey: carol.signingKey.publicKey,
      }),
      await craftedCase('with torsion in its signature', 'BAD_SIGNATURE', {
        sign: (toSign) => oddSignature(alice.signingSeed, toSign, 'torsion in R'),
      }),
      await craftedCase('with words that were not signed', 'BAD_SIGNATURE', {
        plaintext: (signature, said) => padded(concatBytes(signature, flipped(said, -1))),
      }),
      await craftedCase('without padding', 'MALFORMED', {
        plaintext: (signature, said) => concatBytes(signature, said),
      }),
      await craftedCase('with a byte in its padding', 'MALFORMED', {
        plaintext: (signature, said) => padded(concatBytes(signature, said)).fill(1, -1),
      }),
      await craftedCase('with content that is longer than it', 'MALFORMED', {
        contentLength: 0xffff_ffff,
      }),
      await craftedCase('with only a signature', 'MALFORMED', {
        plaintext: (signature) => signature,
      }),
    ],
  };
}

const CHUNK_DATA = 65_536 - 64 - 4;

/** Bytes that are not all the same. */
export function fileOf(length: number): Bytes {
  return Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 255);
}

/** A stream of these bytes. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** All bytes of a stream. */
export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Bytes> {
  return new Uint8Array(await new Response(stream as ReadableStream<BufferSource>).arrayBuffer());
}

/** What a long plaintext is known by. */
export function digestOf(bytes: Uint8Array): { readonly length: number; readonly sha256: string } {
  return { length: bytes.length, sha256: bytesToHex(sha256(bytes)) };
}

/** The bytes in pieces of a full chunk. */
export function chunksOf(bytes: Uint8Array): readonly Uint8Array[] {
  const length = 65_536 + 16;
  const count = Math.max(1, Math.ceil(bytes.length / length));
  return Array.from({ length: count }, (_, at) => bytes.slice(at * length, (at + 1) * length));
}

/** One chunk of STREAM. */
export function chunk(key: Uint8Array, index: number, last: boolean, plaintext: Uint8Array) {
  const nonce = concatBytes(uint(index, 11), uint(last ? 1 : 0, 1));
  return chacha20poly1305(key, nonce).encrypt(plaintext);
}

async function sealedStream(name: string, data: Uint8Array) {
  const slots = await slotsFor([bob], source(`${name}/slots`));
  const stream = await sealStream(streamOf(data), alice.signingKey, slots, source(name));
  const bytes = await readAll(stream);
  const length = 4 + Number(`0x${bytesToHex(bytes.slice(0, 4))}`);
  return { envelope: bytes.slice(0, length), chunks: chunksOf(bytes.slice(length)) };
}

/** `sealed-stream.json`. */
export async function sealedStreamVectors(): Promise<
  EnvelopeFile<SealedStreamCase> & PartsFile<SealedStreamCase>
> {
  const parts: Record<string, string> = {};
  const cases: SealedStreamCase[] = [];
  function put(name: string, bytes: Uint8Array): string {
    parts[name] = encoded(bytes);
    return name;
  }
  function add(
    name: string,
    result: string,
    stream: readonly string[],
    { reader = 'bob', senders = [alice] }: Claims = {},
    data?: Uint8Array,
  ): void {
    const digest = data && { data: digestOf(data) };
    cases.push({ name, result, stream, reader, senders: senders.map(keyOf), ...digest });
  }

  const long = fileOf(2 * CHUNK_DATA + 100);
  const { envelope, chunks } = await sealedStream('stream', long);
  const head = put('envelope', envelope);
  const [first, second, last] = chunks.map((bytes, at) => put(`chunk ${at}`, bytes));
  if (!first || !second || !last) throw new Error('It has three chunks.');
  add('three chunks', 'ok', [head, first, second, last], {}, long);
  add('a reader without a slot', 'NOT_ADDRESSED', [head, first, second, last], { reader: 'carol' });
  add('of somebody else', 'BAD_SIGNATURE', [head, first, second, last], { senders: [carol] });
  add('the last chunk left out', 'DECRYPTION_FAILED', [head, first, second]);
  add('a chunk left out', 'DECRYPTION_FAILED', [head, first, last]);
  add('chunks swapped', 'DECRYPTION_FAILED', [head, second, first, last]);
  add('a chunk twice', 'DECRYPTION_FAILED', [head, first, first, second, last]);
  add('all chunks left out', 'DECRYPTION_FAILED', [head]);
  add('only chunks', 'MALFORMED', [first, second, last]);
  const more = put('a byte', Uint8Array.of(0));
  add('a byte more', 'DECRYPTION_FAILED', [head, first, second, last, more]);
  const changed = put('chunk 2 changed', flipped(chunks[2] ?? new Uint8Array(), 20));
  add('a bit changed', 'DECRYPTION_FAILED', [head, first, second, changed]);
  const cut = put('chunk 2 cut', (chunks[2] ?? new Uint8Array()).slice(0, -1));
  add('a byte less', 'DECRYPTION_FAILED', [head, first, second, cut]);
  for (const length of [0, 1, CHUNK_DATA]) {
    const data = fileOf(length);
    const short = await sealedStream(`stream of ${length}`, data);
    const names = short.chunks.map((bytes) => put(`the chunk of ${length}`, bytes));
    add(
      `${length} bytes`,
      'ok',
      [put(`envelope of ${length}`, short.envelope), ...names],
      {},
      data,
    );
    if (length === 1) add('a chunk of another stream', 'DECRYPTION_FAILED', [head, ...names]);
  }
  const noLength = put('three bytes', new Uint8Array(3));
  add('three bytes', 'MALFORMED', [noLength]);
  add('an envelope of no bytes', 'MALFORMED', [put('four zeros', new Uint8Array(4))]);
  add('an envelope over 5 MiB', 'MALFORMED', [put('too long', uint(5 * 2 ** 20 + 1, 4)), head]);
  const cutEnvelope = put('envelope cut', envelope.slice(0, -1));
  add('an envelope that ends early', 'MALFORMED', [cutEnvelope]);

  // What a recipient, who knows the key of the stream, or its sender could write instead.
  const key = bytesOf('stream');
  const { headerHash } = await craftedStream(key);
  async function signedChunk(
    data: Uint8Array,
    index: number,
    isLast: boolean,
    { signer = alice, as = index, asLast = isLast, pad = padded }: ChunkDeviation = {},
  ): Promise<Uint8Array> {
    const digest = sha256(concatBytes(L('sealed-chunk'), data));
    const signed = concatBytes(L('sealed-chunk'), headerHash, uint(as, 8), uint(asLast ? 1 : 0, 1));
    const signature = await signer.signingKey.sign(new Uint8Array(concatBytes(signed, digest)));
    return chunk(key, index, isLast, pad(concatBytes(signature, uint(data.length, 4), data)));
  }
  const own = put('crafted envelope', (await craftedStream(key)).envelope);
  const data = fileOf(10);
  async function one(
    name: string,
    result: string,
    deviation: ChunkDeviation = {},
    content = data,
  ): Promise<void> {
    const bytes = await signedChunk(content, 0, true, deviation);
    const opened = result === 'ok' ? content : undefined;
    add(name, result, [own, put(name, bytes)], {}, opened);
  }
  await one('made by the specification alone', 'ok');
  await one('a chunk signed by another', 'BAD_SIGNATURE', { signer: carol });
  await one('a chunk signed by a recipient', 'BAD_SIGNATURE', { signer: bob });
  await one('a chunk signed for another place', 'BAD_SIGNATURE', { as: 1 });
  await one('the last chunk signed as another', 'BAD_SIGNATURE', { asLast: false });
  await one('a chunk without padding', 'MALFORMED', { pad: (bytes) => bytes });
  await one('a chunk with too much padding', 'MALFORMED', { pad: (bytes) => padded(bytes, 256) });
  await one('a byte in the padding of a chunk', 'MALFORMED', {
    pad: (bytes) => padded(bytes).fill(1, -1),
  });
  await one('a chunk that is too short for its signature', 'MALFORMED', {
    pad: (bytes) => bytes.slice(0, 60),
  });
  await one('a chunk of a byte too much', 'DECRYPTION_FAILED', {}, fileOf(CHUNK_DATA + 1));
  const short = put('a short chunk', await signedChunk(fileOf(CHUNK_DATA - 1), 0, false));
  const end = put('a last chunk', await signedChunk(data, 1, true));
  add('a chunk that is not full, before the last', 'MALFORMED', [own, short, end]);
  const full = put('a full chunk', await signedChunk(fileOf(CHUNK_DATA), 0, false));
  const nothing = put('an empty chunk', await signedChunk(new Uint8Array(), 1, true));
  add('an empty chunk behind others', 'MALFORMED', [own, full, nothing]);
  const noKey = await craftedStream(key.slice(0, 31));
  const shortKey = put('envelope with a key of 31 bytes', noKey.envelope);
  add('a key of 31 bytes', 'MALFORMED', [shortKey, put('some chunk', new Uint8Array(272))]);
  return {
    description:
      'Sealed streams: the parts that a case names, in a row. The data is given by its length and SHA-256.',
    page: 'sealed-data.md',
    ...cast({ alice, bob, carol }),
    parts,
    cases,
  };
}

interface ChunkDeviation {
  readonly signer?: Person;
  /** The place that is signed. */
  readonly as?: number;
  readonly asLast?: boolean;
  readonly pad?: (bytes: Uint8Array) => Uint8Array;
}

async function craftedStream(key: Uint8Array) {
  const { bytes, headerHash } = await crafted('crafted stream', {
    mode: MODES.stream,
    content: key,
  });
  return { envelope: concatBytes(uint(bytes.length, 4), bytes), headerHash };
}
