/** This library's messages, at the level of the protocol. */
import {
  createCard,
  createEphemeral,
  curves,
  encodeContent,
  messageIdOf,
  openMessage,
  parseChannelSid,
  parseEnvelope,
  parseIdentity,
  sealFollower,
  sealMessage,
  x25519Slots,
  xwing,
  xwingSlots,
  type AgreementKey,
  type Bytes,
  type Card,
  type Curves,
  type Ephemeral,
  type SealedMessage,
  type Session,
  type SignedMessage,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { shared } from '../plugin/src/client/shared.ts';
import { nobleCurves } from '../plugin/src/protocol/curves-noble.ts';
import { base64url, decryptOnce, encryptOnce, sha256 } from '../plugin/src/protocol/primitives.ts';
import { at, BODY, checkBody, make, random, type Chat, type Peer } from './peer.ts';

const CHANNEL = parseChannelSid('CH00000000000000000000000000000001');
const HEAD = { size: 0, root: random(32), signedAt: 0, signature: random(64) };

/** Somebody's keys and card. */
interface Person {
  readonly signingKey: SigningKey;
  readonly encryptionKey: AgreementKey;
  readonly card: Card;
}

/** Somebody, on these curves. */
async function person(index: number, backEnd: Curves): Promise<Person> {
  const signingKey = await backEnd.importSigningKey(random(32));
  const encryptionKey = await backEnd.importAgreementKey(random(32));
  const content = { identity: parseIdentity(`person ${index}`), createdAt: 0 };
  const card = await createCard(content, signingKey, encryptionKey);
  const verifying = await backEnd.importVerifyingKey(signingKey.publicKey);
  return { signingKey, encryptionKey, card: { ...card, signingKey: verifying } };
}

/** What a person writes. */
function messageOf(sender: Card, kind: 'message' | 'key', sequence: number): SignedMessage {
  return {
    kind,
    channelSid: CHANNEL,
    senderCardId: sender.id,
    messageId: messageIdOf(random(16)),
    sequence,
    sentAt: Date.now(),
    head: HEAD,
    content: kind === 'key' ? new Uint8Array() : encodeContent({ body: BODY }),
  };
}

interface Reader {
  open(text: string, session?: Session): Promise<void>;
  forget(): void;
}

/** One who keeps slot keys and asks once for all who wait, as the plugin's receiver does. */
function readerOf({ encryptionKey }: Person, sender: Card): Reader {
  const slotKeys = new Map<string, Bytes>();
  const { publicKey } = encryptionKey;
  const agree = shared(
    (key: Bytes) => key.join(),
    (key) => encryptionKey.agree(key),
  );
  return {
    async open(text, session) {
      const opened = await openMessage(parseEnvelope(text), {
        channelSid: CHANNEL,
        author: sender.identity,
        opener: { key: { publicKey, agree }, slotKeys },
        findCard: () => sender,
        ...(session && { session }),
      });
      checkBody(opened?.content.body);
      if (opened?.slotKey) slotKeys.set(opened.slotKey.ephemeralKey, opened.slotKey.key);
    },
    forget: () => {
      slotKeys.clear();
    },
  };
}

type KeyLife = 'kept' | 'fresh';

async function chatOn(backEnd: Curves, people: number, life: KeyLife): Promise<Chat> {
  const everybody = await make(people, (index) => person(index, backEnd));
  const recipients = everybody.map(({ card }) => card.encryptionKey);
  const fresh = async (): Promise<Ephemeral> =>
    backEnd === nobleCurves
      ? { key: await nobleCurves.importAgreementKey(random(32)), slotKeys: new Map() }
      : createEphemeral(random);
  const kept = await make(Math.min(people, 10), fresh);
  const readers = everybody.slice(0, 10).map(({ card }) => readerOf(at(everybody, -1), card));
  const forget = (): void => {
    for (const reader of readers) reader.forget();
  };
  let sequence = 0;
  return {
    async seal(index) {
      const { card, signingKey } = at(everybody, index);
      const message = messageOf(card, 'message', (sequence += 1));
      const slots = x25519Slots(life === 'kept' ? at(kept, index) : await fresh(), recipients);
      const { text } = await sealMessage(message, signingKey, slots, random);
      const reader = at(readers, index);
      return () => {
        if (life === 'fresh') reader.forget();
        return reader.open(text);
      };
    },
    forget,
  };
}

/** The second and later messages under an ephemeral key, as in a running chat. */
export const kept: Peer = {
  name: 'this library',
  differs: '',
  chat: async (people) => chatOn(await curves(), people, 'kept'),
};

/** The first message under an ephemeral key. */
export const first: Peer = {
  name: 'this library, first message',
  differs: 'It makes a fresh ephemeral key, and agrees with each recipient.',
  chat: async (people) => chatOn(await curves(), people, 'fresh'),
};

/** Where WebCrypto has no curves. */
export const noble: Peer = {
  name: 'this library, without WebCrypto',
  differs: 'Its curves are in JavaScript (@noble/curves).',
  chat: (people) => chatOn(nobleCurves, people, 'kept'),
};

/** Suite 2: X-Wing, so that recorded messages stay secret from quantum computers. */
export const suite2: Peer = {
  name: 'this library, suite 2',
  differs: 'It encapsulates for each recipient of each message: nothing can be kept between them.',
  most: 100,
  async chat(people) {
    const kem = await xwing();
    const sender = await person(0, await curves());
    const { card, signingKey, encryptionKey } = sender;
    const keys = await make(people, () => kem.importKey(random(32)));
    const recipients = keys.map(({ publicKey }) => publicKey);
    const slots = xwingSlots(kem, recipients, random);
    const opener = { key: encryptionKey, pqKey: at(keys, -1), slotKeys: new Map<string, Bytes>() };
    let sequence = 0;
    return {
      async seal() {
        const message = messageOf(card, 'message', (sequence += 1));
        const { text } = await sealMessage(message, signingKey, slots, random);
        return async () => {
          const opened = await openMessage(parseEnvelope(text), {
            channelSid: CHANNEL,
            author: card.identity,
            opener,
            findCard: () => Promise.resolve(card),
          });
          checkBody(opened?.content.body);
        };
      },
    };
  },
};

/** The messages of a session, however many read it. */
export const follower: Peer = {
  name: 'this library',
  differs: 'Its key has to reach each member before, in a key message.',
  async chat() {
    const sender = await person(0, await curves());
    const { card, signingKey } = sender;
    const slots = x25519Slots(await createEphemeral(random), [card.encryptionKey]);
    const key = await sealMessage(messageOf(card, 'key', 1), signingKey, slots, random);
    const { session } = key;
    if (!session) throw new Error('A key message opens a session.');
    const reader = readerOf(sender, card);
    let sequence = 1;
    return {
      async seal() {
        const message = messageOf(card, 'message', (sequence += 1));
        const { text }: SealedMessage = await sealFollower(message, signingKey, session, 7, random);
        return () => reader.open(text, session);
      },
    };
  },
};

/** What no message that is signed can be below: the signature itself, in WebCrypto. */
export const signatureAlone: Peer = {
  name: 'floor: the signature alone',
  differs: 'Ed25519 in WebCrypto, with a key that is held, and nothing else.',
  async chat() {
    const backEnd = await curves();
    const signing = await backEnd.importSigningKey(random(32));
    const verifying = await backEnd.importVerifyingKey(signing.publicKey);
    const message = random(400);
    return {
      async seal() {
        const signature = await signing.sign(message);
        return async () => {
          if (!(await verifying.verify(signature, message))) throw new Error('Not signed.');
        };
      },
    };
  },
};

// Counted: what sealing hashes for each recipient, and what it hashes beside; opening hashes all slots once.
const SEAL_BLOCKS = { each: 7.5, beside: 17 };
const OPEN_BLOCKS = { each: 1.1, beside: 34 };
const PLAINTEXT_LENGTH = 512;
/** Of an envelope: its slots, and all the rest. */
const SLOT_LENGTH = 36;
const REST_LENGTH = 54 + 32 + PLAINTEXT_LENGTH + 16;

/** What this library's messages cannot be below while hash and cipher are in JavaScript. */
export const primitivesAlone: Peer = {
  name: 'floor: the primitives',
  differs:
    'The signature in WebCrypto, the cipher, as many blocks of SHA-256 as there are but without a pause, random bytes and base64url, and nothing else.',
  async chat(people) {
    const backEnd = await curves();
    const signing = await backEnd.importSigningKey(random(32));
    const verifying = await backEnd.importVerifyingKey(signing.publicKey);
    const blocks = ({ each, beside }: typeof SEAL_BLOCKS) =>
      new Uint8Array(64 * Math.round(beside + each * people));
    const [sealed, opened] = [blocks(SEAL_BLOCKS), blocks(OPEN_BLOCKS)];
    const [key, associated, plaintext] = [random(32), random(64), random(PLAINTEXT_LENGTH)];
    const envelope = random(REST_LENGTH + SLOT_LENGTH * people);
    return {
      async seal() {
        random(32);
        random(16);
        sha256(sealed);
        const ciphertext = encryptOnce(key, plaintext, associated);
        const text = base64url.encode(envelope);
        const signature = await signing.sign(plaintext);
        return async () => {
          base64url.decode(text);
          sha256(opened);
          const decrypted = decryptOnce(key, ciphertext, associated);
          if (!decrypted || !(await verifying.verify(signature, decrypted))) {
            throw new Error('Not signed.');
          }
        };
      },
    };
  },
};
