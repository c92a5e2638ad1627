import {
  groupDecrypt,
  groupEncrypt,
  IdentityChange,
  IdentityKeyPair,
  IdentityKeyStore,
  KEMKeyPair,
  KyberPreKeyRecord,
  KyberPreKeyStore,
  PreKeyBundle,
  PreKeyStore,
  PreKeySignalMessage,
  PrivateKey,
  processPreKeyBundle,
  processSenderKeyDistributionMessage,
  ProtocolAddress,
  SenderKeyDistributionMessage,
  SenderKeyStore,
  SessionStore,
  signalDecrypt,
  signalDecryptPreKey,
  signalEncrypt,
  SignalMessage,
  SignedPreKeyRecord,
  SignedPreKeyStore,
  type CiphertextMessage,
  type SenderKeyRecord,
  type SessionRecord,
} from '@signalapp/libsignal-client';
import { at, BODY, checkBody, make, type Peer } from '../peer.ts';

interface Person {
  readonly address: ProtocolAddress;
  readonly sessions: Sessions;
  readonly identities: Identities;
  readonly oneTime: OneTimeKeys;
  readonly signed: SignedKeys;
  readonly kyber: KyberKeys;
  readonly senderKeys: SenderKeys;
  readonly bundle: PreKeyBundle;
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('Nothing is stored there.');
  return value;
}

const nothing = (): Promise<void> => Promise.resolve();

// Everything is in memory. There are no one-time keys: they are not needed.

class Sessions extends SessionStore {
  readonly #records = new Map<string, SessionRecord>();
  readonly saveSession = (name: ProtocolAddress, record: SessionRecord): Promise<void> => {
    this.#records.set(name.name(), record);
    return nothing();
  };
  readonly getSession = (name: ProtocolAddress): Promise<SessionRecord | null> =>
    Promise.resolve(this.#records.get(name.name()) ?? null);
  readonly getExistingSessions = (names: readonly ProtocolAddress[]): Promise<SessionRecord[]> =>
    Promise.resolve(names.map((name) => found(this.#records.get(name.name()))));
}

class Identities extends IdentityKeyStore {
  readonly #own: IdentityKeyPair;
  constructor(own: IdentityKeyPair) {
    super();
    this.#own = own;
  }
  readonly getIdentityKey = (): Promise<PrivateKey> => Promise.resolve(this.#own.privateKey);
  override getIdentityKeyPair(): Promise<IdentityKeyPair> {
    return Promise.resolve(this.#own);
  }
  readonly getLocalRegistrationId = (): Promise<number> => Promise.resolve(1);
  readonly saveIdentity = (): Promise<IdentityChange> =>
    Promise.resolve(IdentityChange.NewOrUnchanged);
  readonly isTrustedIdentity = (): Promise<boolean> => Promise.resolve(true);
  readonly getIdentity = (): Promise<null> => Promise.resolve(null);
}

class OneTimeKeys extends PreKeyStore {
  readonly savePreKey = nothing;
  readonly getPreKey = (): Promise<never> => Promise.reject(new Error('There are none.'));
  readonly removePreKey = nothing;
}

class SignedKeys extends SignedPreKeyStore {
  readonly #key: SignedPreKeyRecord;
  constructor(key: SignedPreKeyRecord) {
    super();
    this.#key = key;
  }
  readonly saveSignedPreKey = nothing;
  readonly getSignedPreKey = (): Promise<SignedPreKeyRecord> => Promise.resolve(this.#key);
}

class KyberKeys extends KyberPreKeyStore {
  readonly #key: KyberPreKeyRecord;
  constructor(key: KyberPreKeyRecord) {
    super();
    this.#key = key;
  }
  readonly saveKyberPreKey = nothing;
  readonly getKyberPreKey = (): Promise<KyberPreKeyRecord> => Promise.resolve(this.#key);
  readonly markKyberPreKeyUsed = nothing;
}

class SenderKeys extends SenderKeyStore {
  readonly #records = new Map<string, SenderKeyRecord>();
  readonly saveSenderKey = (
    sender: ProtocolAddress,
    _id: string,
    record: SenderKeyRecord,
  ): Promise<void> => {
    this.#records.set(sender.name(), record);
    return nothing();
  };
  readonly getSenderKey = (sender: ProtocolAddress): Promise<SenderKeyRecord | null> =>
    Promise.resolve(this.#records.get(sender.name()) ?? null);
}

function person(index: number): Person {
  const identity = IdentityKeyPair.generate();
  const signedKey = PrivateKey.generate();
  const signedPublicKey = signedKey.getPublicKey();
  const signature = identity.privateKey.sign(signedPublicKey.serialize());
  const kyberKey = KEMKeyPair.generate();
  const kyberPublicKey = kyberKey.getPublicKey();
  const kyberSignature = identity.privateKey.sign(kyberPublicKey.serialize());
  const signed = SignedPreKeyRecord.new(1, 0, signedPublicKey, signedKey, signature);
  const kyber = KyberPreKeyRecord.new(1, 0, kyberKey, kyberSignature);
  return {
    address: ProtocolAddress.new(`person ${index}`, 1),
    sessions: new Sessions(),
    identities: new Identities(identity),
    oneTime: new OneTimeKeys(),
    signed: new SignedKeys(signed),
    kyber: new KyberKeys(kyber),
    senderKeys: new SenderKeys(),
    bundle: PreKeyBundle.new(
      1,
      1,
      null,
      null,
      1,
      signedPublicKey,
      signature,
      identity.publicKey,
      1,
      kyberPublicKey,
      kyberSignature,
    ),
  };
}

const body = new TextEncoder().encode(BODY);

function encryptTo(to: Person, from: Person): Promise<CiphertextMessage> {
  return signalEncrypt(body, to.address, from.address, from.sessions, from.identities);
}

function decryptFrom(
  from: Person,
  to: Person,
  sealed: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const message = SignalMessage.deserialize(sealed);
  return signalDecrypt(message, from.address, to.address, to.sessions, to.identities);
}

/** A session in both directions, so that messages are those of a running chat. */
async function meet(one: Person, other: Person): Promise<void> {
  const { sessions, identities } = one;
  await processPreKeyBundle(other.bundle, other.address, one.address, sessions, identities);
  const first = await encryptTo(other, one);
  await signalDecryptPreKey(
    PreKeySignalMessage.deserialize(first.serialize()),
    one.address,
    other.address,
    other.sessions,
    other.identities,
    other.oneTime,
    other.signed,
    other.kyber,
  );
  const answer = await encryptTo(one, other);
  await decryptFrom(other, one, answer.serialize());
}

/** libsignal, a message for each recipient under a ratchet of their own, as Signal's private chats. */
export const libsignal: Peer = {
  name: 'libsignal, pairwise',
  differs:
    'A ratchet for each pair of devices, deniable instead of signed, on post-quantum keys. Stores are in memory.',
  opensOnce: true,
  most: 100,
  async chat(people) {
    const sender = person(-1);
    const readers = await make(people, person);
    for (const reader of readers) await meet(sender, reader);
    const reader = at(readers, -1);
    return {
      async seal() {
        const sealed = await make(people, (index) => encryptTo(at(readers, index), sender));
        const own = at(sealed, -1).serialize();
        return async () => {
          const opened = await decryptFrom(sender, reader, own);
          checkBody(new TextDecoder().decode(opened));
        };
      },
    };
  },
};

const GROUP = 'd1d1d1d1-7000-11eb-b32a-33b8a8a487a6';

/** libsignal's sender keys, as Signal's groups. */
export const libsignalGroup: Peer = {
  name: 'libsignal, sender keys',
  differs:
    'Its key has to reach each member before, in pairwise messages. Each message is under the next key of a chain.',
  opensOnce: true,
  async chat() {
    const [sender, reader] = [person(0), person(1)];
    const { address } = sender;
    const sent = await SenderKeyDistributionMessage.create(address, GROUP, sender.senderKeys);
    await processSenderKeyDistributionMessage(address, sent, reader.senderKeys);
    return {
      async seal() {
        const sealed = (await groupEncrypt(address, GROUP, sender.senderKeys, body)).serialize();
        return async () => {
          const opened = await groupDecrypt(address, reader.senderKeys, sealed);
          checkBody(new TextDecoder().decode(opened));
        };
      },
    };
  },
};
