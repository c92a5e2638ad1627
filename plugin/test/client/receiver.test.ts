import { MemoryKeyStore } from 'twilio-chat-encryption';
import {
  createEphemeral,
  curves,
  encodeContent,
  exportCard,
  messageIdOf,
  sealFollower,
  sealMessage,
  x25519Slots,
  type CardId,
  type LogHead,
  type Session,
  type SignedMessage,
} from 'twilio-chat-encryption/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { cardBook, type CardSource } from '../../src/client/card-book.ts';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import { deletedKeys } from '../../src/client/deleted-keys.ts';
import { encryptedChannels } from '../../src/client/encrypted-channels.ts';
import { incomingSessions } from '../../src/client/incoming-sessions.ts';
import type { JudgedMessage } from '../../src/client/judged.ts';
import { pins } from '../../src/client/pins.ts';
import { receiver, type Receiver } from '../../src/client/receiver.ts';
import { APP_KEY, CHANNEL, HEAD, person, random, type Person } from '../protocol/people.ts';
import { historiesOf, historyOf, pinsContext } from './histories.ts';
import { ownKeys } from './own-keys.ts';

const appKey = await (await curves()).importVerifyingKey(APP_KEY.publicKey);
const [alice, bob, stranger] = [await person('alice'), await person('bob'), await person('eve')];

/** A gate that is opened by hand. */
function gate(): { readonly passed: Promise<unknown>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<null>();
  return {
    passed: promise,
    open: () => {
      resolve(null);
    },
  };
}

/** What the log and its heads are for a receiver. */
interface Seen {
  /** When alice's card ended, by the log's clock. */
  readonly endedAt?: number;
  /** Whose keys bob's device has from a backup. */
  readonly restored?: readonly Person[];
  readonly isSigned?: boolean;
  readonly witnessed?: [head: LogHead, sender: CardId][];
}

/** Bob's receiver; the directory does not find his own cards before `found` is passed. */
function bobs(found: Promise<unknown> = Promise.resolve(), seen: Seen = {}): Receiver {
  const all = [alice, bob];
  const source: CardSource = {
    async lookUp(identities) {
      if (identities.includes(bob.card.identity)) await found;
      return historiesOf(
        identities,
        all.map(({ card }) => card),
      );
    },
    get(id) {
      const one = all.find(({ card }) => card.id === id);
      return Promise.resolve(one ? exportCard(one.card) : null);
    },
  };
  const keyStore = new MemoryKeyStore();
  const book = cardBook(source, [appKey], Date.now);
  const [live] = historyOf([alice.card]).cards;
  if (!live) throw new Error('There is no card.');
  const ended = { ...live, status: 'revoked', endedAt: seen.endedAt ?? 0 } as const;
  const keys = ownKeys(bob, ...(seen.restored ?? []));
  const trust = pins(pinsContext(keyStore, { historyOf: (who) => book.historyOf(who) }));
  return receiver({
    keys,
    records: keyStore,
    cards: seen.endedAt === undefined ? book : { ...book, stateOf: () => ended },
    log: {
      isSigned: () => Promise.resolve(seen.isSigned ?? true),
      witness(...head) {
        seen.witnessed?.push(head);
        return Promise.resolve();
      },
    },
    pins: { ...trust, knows: () => Promise.resolve(true) },
    encrypted: encryptedChannels(keyStore),
    sessions: incomingSessions(keys, () => keyStore),
    deleted: deletedKeys(keyStore),
    sawOwn: () => Promise.resolve(),
    now: Date.now,
  });
}

/** What alice posts next. */
function signed(kind: 'message' | 'key', sequence: number): SignedMessage {
  return {
    kind,
    channelSid: CHANNEL,
    senderCardId: alice.card.id,
    messageId: messageIdOf(random(16)),
    sequence,
    sentAt: Date.now(),
    head: HEAD,
    content: kind === 'key' ? new Uint8Array() : encodeContent({ body: `number ${sequence}` }),
  };
}

/** A key message for bob and others, and the session that it opens. */
async function keyMessage(...others: readonly (typeof bob)[]) {
  const keys = [alice, bob, ...others].map(({ card }) => card.encryptionKey);
  const slots = x25519Slots(await createEphemeral(random), keys);
  const { text, session } = await sealMessage(signed('key', 1), alice.signingKey, slots, random);
  if (!session) throw new Error('A key message opens a session.');
  return { text, session };
}

/** Followers of this session, behind a key message at index 0. */
async function followers(session: Session, count: number, first = 2): Promise<string[]> {
  const sealed = Array.from({ length: count }, (_, at) =>
    sealFollower(signed('message', first + at), alice.signingKey, session, 0, random),
  );
  return (await Promise.all(sealed)).map(({ text }) => text);
}

/** Twilio, with one key message at index 0. */
interface Channel {
  /** What its file gives, when it travels as one. */
  readonly load?: () => Promise<string>;
  readonly text?: string;
}

function deliver(channel: Channel, index: number, body: string): DeliveredMessage {
  const { load } = channel;
  const isKey = index === 0;
  return {
    channelSid: CHANNEL,
    messageSid: `IM${index}`,
    index,
    author: 'alice',
    body,
    file: isKey && load ? { isKey, load } : null,
    fileSizes: [],
    createdAt: new Date(),
    updatedAt: new Date(),
    isLive: true,
    attempts: 0,
    joinedAt: () => Promise.resolve(null),
    members: () => Promise.resolve([alice.card.identity, bob.card.identity]),
    watchJoins: () => () => undefined,
    around: (at) => Promise.resolve(at === 0 ? [deliver(channel, 0, channel.text ?? '')] : []),
  };
}

function outcomeOf(judged: JudgedMessage): string {
  if ('verified' in judged) return 'verified';
  return 'code' in judged.outcome ? judged.outcome.code : judged.outcome.status;
}

describe('a key message that travels as a file', () => {
  test('is fetched once for all that wait for it, and for itself', async () => {
    const { text, session } = await keyMessage();
    const { passed, open } = gate();
    let fetches = 0;
    const load = async (): Promise<string> => {
      fetches += 1;
      await passed;
      return text;
    };
    const bobsDevice = bobs();
    const bodies = await followers(session, 20);
    const judging = [
      bobsDevice.judge(deliver({ load }, 0, '')),
      ...bodies.map((body, at) => bobsDevice.judge(deliver({ load }, at + 1, body))),
    ];
    await new Promise((resolve) => setTimeout(resolve, 50));
    open();
    expect(new Set((await Promise.all(judging)).map(outcomeOf))).toEqual(new Set(['verified']));
    expect(fetches).toBe(1);
  });

  test('is not fetched for each follower that names a session which is not in it', async () => {
    const { text, session } = await keyMessage();
    let fetches = 0;
    const load = (): Promise<string> => {
      fetches += 1;
      return Promise.resolve(text);
    };
    const bobsDevice = bobs();
    const stray = async (index: number): Promise<string> => {
      const [body = ''] = await followers({ ...session, sessionId: random(16) }, 1);
      return outcomeOf(await bobsDevice.judge(deliver({ load }, index, body)));
    };
    const together = await Promise.all(Array.from({ length: 20 }, (_, at) => stray(at + 1)));
    expect(new Set(together)).toEqual(new Set(['KEY_PENDING']));
    for (let index = 21; index < 30; index += 1) expect(await stray(index)).toBe('KEY_PENDING');
    expect(fetches).toBe(1);
  });

  test('is fetched again when it could not be fetched', async () => {
    const { text, session } = await keyMessage();
    let fetches = 0;
    const load = (): Promise<string> => {
      fetches += 1;
      return fetches === 1 ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve(text);
    };
    const bobsDevice = bobs();
    const [body = ''] = await followers(session, 1);
    expect(outcomeOf(await bobsDevice.judge(deliver({ load }, 1, body)))).toBe('KEY_PENDING');
    expect(outcomeOf(await bobsDevice.judge(deliver({ load }, 1, body)))).toBe('verified');
  });
});

test('a follower in somebody else’s name is not what the true one waits for', async () => {
  const { text, session } = await keyMessage();
  const bobsDevice = bobs();
  const [body = ''] = await followers(session, 1);
  const channel = { text };
  const judging = [
    bobsDevice.judge({ ...deliver(channel, 1, body), author: 'mallory' }),
    bobsDevice.judge(deliver(channel, 2, body)),
  ];
  expect((await Promise.all(judging)).map(outcomeOf)).toEqual(['KEY_PENDING', 'verified']);
});

test.each<[string, (text: string) => string]>([
  ['cannot be opened', (text) => `${text.slice(0, -8)}AAAAAAAA`],
  ['opens another session', (text) => text],
])('a key message that %s is tried once, not once for each follower', async (_what, changed) => {
  const { text, session } = await keyMessage();
  const bobsDevice = bobs();
  const agreements = vi.spyOn(crypto.subtle, 'deriveBits');
  onTestFinished(() => {
    agreements.mockRestore();
  });
  const channel = { text: changed(text) };
  for (let index = 1; index < 20; index += 1) {
    const [body = ''] = await followers({ ...session, sessionId: random(16) }, 1);
    expect(outcomeOf(await bobsDevice.judge(deliver(channel, index, body)))).toBe('KEY_PENDING');
  }
  expect(agreements).toHaveBeenCalledTimes(1);
});

test('strangers whom it takes long to tell from members are told of by the next follower', async () => {
  const { text, session } = await keyMessage(stranger);
  const { passed, open } = gate();
  const bobsDevice = bobs(passed);
  const channel = { text };
  const [first = '', second = ''] = await followers(session, 2);
  const counted = (judged: JudgedMessage): number | null =>
    'verified' in judged ? judged.unknownRecipients : null;
  expect(counted(await bobsDevice.judge(deliver(channel, 0, text)))).toBe(0);
  expect(counted(await bobsDevice.judge(deliver(channel, 1, first)))).toBe(0);
  open();
  expect(counted(await bobsDevice.judge(deliver(channel, 2, second)))).toBe(1);
});

describe('a message that brings its key', () => {
  async function carrier(sender: typeof alice): Promise<string> {
    const slots = x25519Slots(await createEphemeral(random), [bob.card.encryptionKey]);
    const message = { ...signed('message', 1), senderCardId: sender.card.id };
    return (await sealMessage(message, sender.signingKey, slots, random)).text;
  }

  test('of a card that there is not is rejected for good', async () => {
    const judged = await bobs().judge(deliver({}, 1, await carrier(stranger)));
    expect(judged).toMatchObject({ outcome: { status: 'rejected', code: 'CARD_INVALID' } });
  });

  test('is what it is: the application cannot change what is said of it', async () => {
    const bobReads = bobs();
    const bodies = [await carrier(alice), await carrier(alice), 'plain'];
    const judged = await Promise.all(
      bodies.map((body, at) => bobReads.judge(deliver({}, at + 1, body))),
    );
    const [first, fork, plain] = (await bobReads.accept(judged)).map(
      ({ encryption }) => encryption,
    );
    if (fork?.status !== 'verified') throw new Error('It is verified.');
    expect(fork.anomalies).toContainEqual({ code: 'FORK' });
    for (const one of [first, fork, plain, fork.sender, fork.anomalies, ...fork.anomalies]) {
      expect(Object.isFrozen(one)).toBe(true);
    }
  });
});

describe('what the log says', () => {
  async function outcome(seen: Seen, ago = 0): Promise<string> {
    const { text, session } = await keyMessage();
    const [body = ''] = await followers(session, 1);
    const delivered = deliver({ text }, 1, body);
    const createdAt = new Date(Date.now() - ago);
    return outcomeOf(await bobs(undefined, seen).judge({ ...delivered, createdAt }));
  }

  test('of a card that ended makes what came afterwards CARD_REVOKED, but not what came before', async () => {
    const endedAt = Date.now() - 10 * 60_000;
    expect(await outcome({ endedAt })).toBe('CARD_REVOKED');
    expect(await outcome({ endedAt }, 4 * 60_000)).toBe('CARD_REVOKED');
    // What was under way is not lost to two servers' clocks.
    expect(await outcome({ endedAt }, 6 * 60_000)).toBe('verified');
    expect(await outcome({ endedAt }, 60 * 60_000)).toBe('verified');
    expect(await outcome({ endedAt }, NaN)).toBe('CARD_REVOKED');
  });

  test('of a card whose keys this device has from a backup counts as of any other', async () => {
    const endedAt = Date.now() - 10 * 60_000;
    expect(await outcome({ endedAt, restored: [alice] })).toBe('CARD_REVOKED');
    expect(await outcome({ isSigned: false, restored: [alice] })).toBe('MALFORMED');
  });

  test('in a head that its key did not sign makes a message MALFORMED', async () => {
    const witnessed: [LogHead, CardId][] = [];
    expect(await outcome({ isSigned: false, witnessed })).toBe('MALFORMED');
    expect(witnessed).toEqual([]);
  });

  test('in a head that somebody saw is compared', async () => {
    const witnessed: [LogHead, CardId][] = [];
    expect(await outcome({ witnessed })).toBe('verified');
    expect(witnessed).toEqual([[HEAD, alice.card.id]]);
  });
});
