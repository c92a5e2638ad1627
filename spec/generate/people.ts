/** The people of the vectors: always the same keys and cards. */
import { ml_kem768_x25519 as hybrid } from '@noble/post-quantum/hybrid.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import {
  approveCard,
  createCard,
  createEphemeral,
  curves,
  exportCard,
  parseCardId,
  parseChannelSid,
  parseIdentity,
  x25519Slots,
  xwing,
  xwingSlots,
  type AgreementKey,
  type Bytes,
  type Card,
  type CardId,
  type Kem,
  type KemKey,
  type RandomSource,
  type SigningKey,
  type SlotSealer,
} from 'twilio-chat-encryption/protocol';
import type { PersonVector } from '../vector-files.ts';
import { bytesOf } from './source.ts';

export const CREATED = 1_700_000_000_000;
export const APPROVED = 1_700_000_000_001;
export const SENT = 1_700_000_060_000;
export const CHANNEL = parseChannelSid('CH0123456789abcdef0123456789abcdef');
export const OTHER_CHANNEL = parseChannelSid('CHfedcba9876543210fedcba9876543210');

/** Somebody with a card. */
export interface Person {
  readonly card: Card;
  readonly signingKey: SigningKey;
  readonly signingSeed: Bytes;
  readonly encryptionKey: AgreementKey;
  readonly pqEncryptionKey?: KemKey;
  /** Goes into the file. */
  readonly vector: PersonVector;
}

const backEnd = await curves();

/** Where all approvals come from. */
export const APP_KEY: SigningKey = await backEnd.importSigningKey(bytesOf('application'));
/** An application key that nobody pinned. */
export const OTHER_APP_KEY: SigningKey = await backEnd.importSigningKey(bytesOf('other app'));

/** Makes somebody. `alice` and `alice/suite 2` are two people of one identity. */
export async function person(
  name: string,
  { pq = false, appKey = APP_KEY }: { readonly pq?: boolean; readonly appKey?: SigningKey } = {},
): Promise<Person> {
  const [signingSeed, encryptionSecret, pqSeed] = [
    bytesOf(`${name}/signing`),
    bytesOf(`${name}/encryption`),
    bytesOf(`${name}/post-quantum`),
  ];
  const signingKey = await backEnd.importSigningKey(signingSeed);
  const encryptionKey = await backEnd.importAgreementKey(encryptionSecret);
  const pqEncryptionKey = pq ? await (await xwing()).importKey(pqSeed) : undefined;
  const identity = parseIdentity(name.split('/')[0]);
  const content = { identity, createdAt: CREATED };
  const own = await createCard(content, signingKey, encryptionKey, pqEncryptionKey);
  const card = await approveCard(own, appKey, APPROVED);
  return {
    card,
    signingKey,
    signingSeed,
    encryptionKey,
    ...(pqEncryptionKey && { pqEncryptionKey }),
    vector: {
      card: exportCard(card),
      signingSeed: bytesToHex(signingSeed),
      encryptionSecret: bytesToHex(encryptionSecret),
      ...(pq && { pqSeed: bytesToHex(pqSeed) }),
    },
  };
}

export const [alice, bob, carol] = [
  await person('alice'),
  await person('bob'),
  await person('carol'),
];

/** `appKey` and `people` of a file. */
export function cast(people: Readonly<Record<string, Person>>): {
  readonly appKey: string;
  readonly people: Readonly<Record<string, PersonVector>>;
} {
  const entries = Object.entries(people).map(([name, { vector }]) => [name, vector] as const);
  return { appKey: bytesToHex(APP_KEY.publicKey), people: Object.fromEntries(entries) };
}

/** The bytes of a card id. */
export function idOf(id: CardId): Bytes {
  return Uint8Array.from(parseCardId(id).match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/**
 * X-Wing whose randomness can be given: WebCrypto's ML-KEM has its own. It is also another
 * implementation than the library's.
 */
export const deterministicXWing: Kem = {
  name: 'noble',
  importKey: async (seed) => (await xwing()).importKey(seed),
  encapsulate(publicKey, random) {
    const { cipherText, sharedSecret } = hybrid.encapsulate(publicKey, random(64));
    return Promise.resolve({
      ciphertext: new Uint8Array(cipherText),
      sharedSecret: new Uint8Array(sharedSecret),
    });
  },
};

/** Slots of suite 1 for these people, under an ephemeral key of their own. */
export async function slotsFor(
  readers: readonly Person[],
  random: RandomSource,
): Promise<SlotSealer> {
  const keys = readers.map(({ card }) => card.encryptionKey);
  return x25519Slots(await createEphemeral(random), keys);
}

/** Slots of suite 2 for these people. */
export function pqSlotsFor(readers: readonly Person[], random: RandomSource): SlotSealer {
  const keys = readers.map(({ card }) => card.pqEncryptionKey ?? new Uint8Array());
  return xwingSlots(deterministicXWing, keys, random);
}

/** These slots, and the message key that they are asked to bring. */
export function watched(slots: SlotSealer): {
  readonly slots: SlotSealer;
  readonly messageKey: () => string;
} {
  let seen = '';
  return {
    slots: {
      suite: slots.suite,
      seal(messageKey, nonce) {
        seen = bytesToHex(messageKey);
        return slots.seal(messageKey, nonce);
      },
    },
    messageKey: () => seen,
  };
}
