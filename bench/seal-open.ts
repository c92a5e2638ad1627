/**
 * Seal and open one chat message for N recipients: this library against Virgil's virgil-crypto
 * 5.1.2 (signThenEncrypt, decryptThenVerify). Rounds of the candidates are interleaved in one run,
 * so that a noisy machine is noisy for all; trust the ratios, not the absolute figures.
 *
 * Differences: Virgil's envelope is not bound to a channel, its signature does not cover the
 * recipients, and it is not padded. "warm" is the second and later messages under one ephemeral
 * key, as in a running chat; "cold" makes a new ephemeral key and knows no recipient. "suite 2" is
 * X-Wing, which has neither: it encapsulates for each recipient of each message.
 */
import { initCrypto, VirgilCrypto } from 'virgil-crypto';
import {
  createCard,
  createEphemeral,
  curves,
  encodeContent,
  messageIdOf,
  openMessage,
  parseEnvelope,
  parseChannelSid,
  parseIdentity,
  sealMessage,
  type Bytes,
  type Ephemeral,
  type SignedMessage,
  type SlotSealer,
  x25519Slots,
  xwing,
  xwingSlots,
} from 'twilio-chat-encryption/protocol';

const BODY = 'x'.repeat(200);
const SIZES = [1, 10, 100];
const MILLISECONDS_PER_CANDIDATE = 2000;
const CHANNEL = parseChannelSid('CH00000000000000000000000000000001');

function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

type Task = () => unknown;

async function ourTasks(count: number): Promise<Record<string, Task>> {
  const backEnd = await curves();
  const kem = await xwing();
  const people = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const signingKey = await backEnd.importSigningKey(random(32));
      const encryptionKey = await backEnd.importAgreementKey(random(32));
      const content = { identity: parseIdentity(`person ${index}`), createdAt: 0 };
      return {
        signingKey,
        encryptionKey,
        pqEncryptionKey: await kem.importKey(random(32)),
        card: await createCard(content, signingKey, encryptionKey),
      };
    }),
  );
  const [sender] = people;
  const reader = people.at(-1);
  if (!sender || !reader) throw new Error('Nobody there.');
  const recipients = people.map(({ card }) => card.encryptionKey);
  const pqRecipients = people.map(({ pqEncryptionKey }) => pqEncryptionKey.publicKey);
  const head = { size: 0, root: random(32), signedAt: 0, signature: random(64) };
  let sequence = 0;
  const seal = async (slots: SlotSealer): Promise<string> => {
    const message: SignedMessage = {
      kind: 'message',
      channelSid: CHANNEL,
      senderCardId: sender.card.id,
      messageId: messageIdOf(random(16)),
      sequence: (sequence += 1),
      sentAt: Date.now(),
      head,
      content: encodeContent({ body: BODY }),
    };
    return (await sealMessage(message, sender.signingKey, slots, random)).text;
  };
  const open = async (text: string, slotKeys: Map<string, Bytes>): Promise<void> => {
    const opened = await openMessage(parseEnvelope(text), {
      channelSid: CHANNEL,
      author: sender.card.identity,
      opener: { key: reader.encryptionKey, pqKey: reader.pqEncryptionKey, slotKeys },
      findCard: () => Promise.resolve(sender.card),
    });
    if (opened?.content.body !== BODY) throw new Error('Not what was sent.');
    if (opened.slotKey) slotKeys.set(opened.slotKey.ephemeralKey, opened.slotKey.key);
  };
  const warmEphemeral = await createEphemeral(random);
  const warmKeys = new Map<string, Bytes>();
  const sealWith = (ephemeral: Ephemeral): Promise<string> =>
    seal(x25519Slots(ephemeral, recipients));
  const sealSuite2 = (): Promise<string> => seal(xwingSlots(kem, pqRecipients, random));
  const text = await sealWith(warmEphemeral);
  const textOfSuite2 = await sealSuite2();
  await open(text, warmKeys);
  return {
    'ours, cold: seal': async () => sealWith(await createEphemeral(random)),
    'ours, warm: seal': () => sealWith(warmEphemeral),
    'ours, suite 2: seal': sealSuite2,
    'ours, cold: open': () => open(text, new Map()),
    'ours, warm: open': () => open(text, warmKeys),
    'ours, suite 2: open': () => open(textOfSuite2, new Map()),
  };
}

function virgilTasks(count: number): Record<string, Task> {
  const virgil = new VirgilCrypto();
  const people = Array.from({ length: count }, () => virgil.generateKeys());
  const [sender] = people;
  const reader = people.at(-1);
  if (!sender || !reader) throw new Error('Nobody there.');
  const publicKeys = people.map(({ publicKey }) => publicKey);
  const seal = (): Uint8Array =>
    virgil.signThenEncrypt({ value: BODY, encoding: 'utf8' }, sender.privateKey, publicKeys);
  const sealed = seal();
  return {
    'Virgil: seal': seal,
    'Virgil: open': () => {
      const text = virgil.decryptThenVerify(sealed, reader.privateKey, sender.publicKey).toString();
      if (text !== BODY) throw new Error('Not what was sent.');
    },
  };
}

/** Microseconds of each run of each task, the tasks taking turns. */
async function measure(tasks: Record<string, Task>): Promise<Map<string, number[]>> {
  const names = Object.keys(tasks);
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  const end = performance.now() + MILLISECONDS_PER_CANDIDATE * names.length;
  for (let round = 0; performance.now() < end || round < 20; round += 1) {
    for (const [name, task] of Object.entries(tasks)) {
      const start = performance.now();
      await task();
      if (round >= 5) times.get(name)?.push(1000 * (performance.now() - start));
    }
  }
  return times;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? NaN;
}

await initCrypto();
console.log(
  `curves: ${(await curves()).name}, ML-KEM: ${(await xwing()).name}, Node ${process.version}`,
);
for (const count of SIZES) {
  const times = await measure({ ...(await ourTasks(count)), ...virgilTasks(count) });
  const median = (name: string): number => quantile(times.get(name) ?? [], 0.5);
  console.log(`\nN = ${count}`);
  console.table(
    Object.fromEntries(
      [...times].map(([name, values]) => {
        const peer = median(name.endsWith('seal') ? 'Virgil: seal' : 'Virgil: open');
        return [
          name,
          {
            'median µs': Math.round(median(name)),
            'p10 µs': Math.round(quantile(values, 0.1)),
            'times faster than Virgil': Number((peer / median(name)).toFixed(2)),
            runs: values.length,
          },
        ];
      }),
    ),
  );
}
