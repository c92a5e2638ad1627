/** Vectors of carriers of suite 2. */
import { concatBytes } from '@noble/hashes/utils.js';
import type { EnvelopeFile, MessageCase } from '../vector-files.ts';
import { bytesIn, flipped, textOf, uint } from './craft.ts';
import { craftedCase, message, messageCase, seal, type Deviation } from './messages.ts';
import { bob as bobOfSuite1, cast, person, pqSlotsFor } from './people.ts';
import { bytesOf, source } from './source.ts';

const [alice, bob, carol] = [
  await person('alice/suite 2', { pq: true }),
  await person('bob/suite 2', { pq: true }),
  await person('carol/suite 2', { pq: true }),
];
const SLOTS = 4 + 16 + 2;
const SLOT = 4 + 1120 + 32;

/** `carrier-suite-2.json`. */
export async function suite2Vectors(): Promise<EnvelopeFile<MessageCase>> {
  const slots = pqSlotsFor([bob, carol], source('carrier of suite 2/slots'));
  const sealed = await seal('carrier of suite 2', message(alice), slots, alice.signingKey);
  const bytes = bytesIn(sealed.text);
  const parts: readonly (readonly [string, number, string])[] = [
    ['nonce', 4, 'NOT_ADDRESSED'],
    ['hint of the reader', SLOTS, 'NOT_ADDRESSED'],
    ['ML-KEM ciphertext', SLOTS + 4, 'COMMITMENT_MISMATCH'],
    ['ML-KEM ciphertext, its last byte', SLOTS + 4 + 1087, 'COMMITMENT_MISMATCH'],
    ['X25519 half', SLOTS + 4 + 1088, 'COMMITMENT_MISMATCH'],
    ['wrapped key', SLOTS + 4 + 1120, 'COMMITMENT_MISMATCH'],
    ['slot of another', SLOTS + SLOT + 100, 'COMMITMENT_MISMATCH'],
    ['commitment', SLOTS + 2 * SLOT, 'COMMITMENT_MISMATCH'],
    ['ciphertext', SLOTS + 2 * SLOT + 32, 'DECRYPTION_FAILED'],
  ];
  const filled = (value: number): string => {
    const half = SLOTS + 4 + 1088;
    return textOf(new Uint8Array(bytes).fill(value, half, half + 32));
  };
  const swapped = concatBytes(
    bytes.slice(0, SLOTS),
    bytes.slice(SLOTS + SLOT, SLOTS + 2 * SLOT),
    bytes.slice(SLOTS, SLOTS + SLOT),
    bytes.slice(SLOTS + 2 * SLOT),
  );
  const own: Deviation = { readers: [bob], sender: alice, signer: alice };
  const m = bytesOf('marked, suite 2');
  const wrong = {
    publicKey: bob.card.pqEncryptionKey ?? new Uint8Array(),
    wraps: bytesOf('wrong'),
  };
  const right = { ...wrong, wraps: m };
  const marked = (count: number): Deviation => ({
    ...own,
    messageKey: m,
    header: { suite: 2, slots: [...Array.from({ length: count }, () => wrong), right] },
  });
  const rest = (count: number, length: number): Deviation => ({
    ...own,
    header: { suite: 2, rest: () => concatBytes(uint(count, 2), new Uint8Array(length)) },
  });
  return {
    description: 'Messages that bring their key themselves: type 1, suite 2 (X-Wing).',
    page: 'envelope.md',
    ...cast({ alice, bob, carol, 'bob of suite 1': bobOfSuite1 }),
    cases: [
      ...['bob', 'carol'].map((reader) => ({
        ...messageCase(`a message for Bob and Carol, read by ${reader}`, 'ok', sealed.text, {
          reader,
        }),
        message: sealed.message,
      })),
      await craftedCase('made by the specification alone', 'ok', { ...own, header: { suite: 2 } }),
      await craftedCase('three wrong slots with Bob’s hint before the right one', 'ok', marked(3)),
      await craftedCase(
        'four wrong slots with Bob’s hint before the right one',
        'COMMITMENT_MISMATCH',
        marked(4),
      ),
      messageCase('no slot for Alice', 'NOT_ADDRESSED', sealed.text, { reader: 'alice' }),
      messageCase('a reader without a key of suite 2', 'NOT_ADDRESSED', sealed.text, {
        reader: 'bob of suite 1',
      }),
      ...parts.map(([what, at, result]) =>
        messageCase(`a flipped bit in the ${what}`, result, textOf(flipped(bytes, at))),
      ),
      messageCase('slots swapped', 'COMMITMENT_MISMATCH', textOf(swapped)),
      messageCase('an X25519 half of zeros', 'MALFORMED', filled(0)),
      messageCase('an X25519 half that is not canonical', 'MALFORMED', filled(0xff)),
      await craftedCase('no slots', 'MALFORMED', rest(0, 0)),
      await craftedCase('a count that the bytes do not reach', 'MALFORMED', rest(2, SLOT)),
      messageCase('cut in the slots', 'MALFORMED', textOf(bytes.slice(0, SLOTS + SLOT))),
      await craftedCase('signed by another', 'BAD_SIGNATURE', {
        ...own,
        header: { suite: 2 },
        signer: carol,
      }),
    ],
  };
}
