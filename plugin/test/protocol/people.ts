import {
  approveCard,
  createCard,
  createEphemeral,
  curves,
  encodeContent,
  EMPTY_TREE_ROOT,
  messageIdOf,
  openMessage,
  parseEnvelope,
  parseChannelSid,
  parseIdentity,
  sealMessage,
  signHead,
  type AgreementKey,
  type Bytes,
  type Card,
  type KemKey,
  type LogHead,
  type Session,
  type SignedMessage,
  type SigningKey,
  type SlotSealer,
  type VerifiedMessage,
  x25519Slots,
  xwing,
  xwingSlots,
} from 'twilio-chat-encryption/protocol';

/** Unpredictable bytes of the platform. */
export function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

export const APP_KEY: SigningKey = await (await curves()).importSigningKey(random(32));
export const LOG_KEY: SigningKey = await (await curves()).importSigningKey(random(32));
/** A head of an empty log, as messages carry one. */
export const HEAD = await signHead(LOG_KEY, {
  size: 0,
  root: EMPTY_TREE_ROOT,
  signedAt: 1_700_000_000_000,
});
export const CHANNEL = parseChannelSid('CH00000000000000000000000000000001');
export const OTHER_CHANNEL = parseChannelSid('CH00000000000000000000000000000002');

/** Somebody with a key pair and an approved card. */
export interface Person {
  readonly card: Card;
  readonly signingKey: SigningKey;
  readonly encryptionKey: AgreementKey;
  /** The private key behind `encryptionKey`. */
  readonly encryptionSecret: Bytes;
  /** Of suite 2. */
  readonly pqEncryptionKey?: KemKey;
}

export async function person(
  name: string,
  encryptionSecret: Bytes = random(32),
  pqEncryptionKey?: KemKey,
): Promise<Person> {
  const backEnd = await curves();
  const signingKey = await backEnd.importSigningKey(random(32));
  const encryptionKey = await backEnd.importAgreementKey(encryptionSecret);
  const content = { identity: parseIdentity(name), createdAt: 1_700_000_000_000 };
  const own = await createCard(content, signingKey, encryptionKey, pqEncryptionKey);
  const card = await approveCard(own, APP_KEY, 1_700_000_000_001);
  const keys = { signingKey, encryptionKey, encryptionSecret };
  return { card, ...keys, ...(pqEncryptionKey && { pqEncryptionKey }) };
}

/** Somebody whose card has a key of suite 2. */
export async function pqPerson(name: string, seed: Bytes = random(32)): Promise<Person> {
  return person(name, random(32), await (await xwing()).importKey(seed));
}

export async function seal(
  sender: Person,
  recipients: readonly Person[],
  body: string,
  changes: {
    channelSid?: typeof CHANNEL;
    head?: LogHead;
    signingKey?: SigningKey;
    slots?: SlotSealer;
  } = {},
): Promise<string> {
  const message: SignedMessage = {
    kind: 'message',
    channelSid: changes.channelSid ?? CHANNEL,
    senderCardId: sender.card.id,
    messageId: messageIdOf(random(16)),
    sequence: 1,
    sentAt: 1_700_000_000_002,
    head: changes.head ?? HEAD,
    content: encodeContent({ body }),
  };
  const signingKey = changes.signingKey ?? sender.signingKey;
  const slots = changes.slots ?? (await slotsFor(recipients));
  return (await sealMessage(message, signingKey, slots, random)).text;
}

/** Fresh slots of suite 1 for these people. */
export async function slotsFor(recipients: readonly Person[]): Promise<SlotSealer> {
  const keys = recipients.map(({ card }) => card.encryptionKey);
  return x25519Slots(await createEphemeral(random), keys);
}

/** Slots of suite 2 for these people. */
export async function pqSlotsFor(recipients: readonly Person[]): Promise<SlotSealer> {
  const keys = recipients.map(({ card }) => card.pqEncryptionKey ?? new Uint8Array());
  return xwingSlots(await xwing(), keys, random);
}

/** Opens as `reader` what Twilio says `author` wrote in {@link CHANNEL}. */
export async function open(
  text: string,
  reader: Person,
  author: Person,
  session?: Session,
): Promise<VerifiedMessage | null> {
  const { encryptionKey: key, pqEncryptionKey: pqKey } = reader;
  return openMessage(parseEnvelope(text), {
    channelSid: CHANNEL,
    ...(session && { session }),
    author: author.card.identity,
    opener: { key, slotKeys: new Map(), ...(pqKey && { pqKey }) },
    findCard: () => Promise.resolve(author.card),
  });
}
