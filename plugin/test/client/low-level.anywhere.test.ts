/** Keys and cards of the low-level API, on a key store in memory and a directory without a server. */
import { describe, expect, test } from 'vitest';
import {
  curves,
  EncryptionError,
  exportCard,
  sealKeyRecord,
  importCard,
  parseIdentity,
  verifyLookup,
  type CardId,
  type Identity,
  type IdentityHistory,
  type LogHead,
} from 'twilio-chat-encryption/protocol';
import { cardBook } from '../../src/client/card-book.ts';
import type { ProvenLookup } from '../../src/client/card-log.ts';
import { cards, type Cards } from '../../src/client/cards.ts';
import type { ExportableCard } from '../../src/client/checked-cards.ts';
import { keyPair, type KeyPair } from '../../src/client/key-pair.ts';
import { keys, type KeyOptions, type Keys } from '../../src/client/keys.ts';
import { MemoryKeyStore } from '../../src/client/key-store.ts';
import { makeSecret } from '../../src/client/saved-key.ts';
import { base64, base64url } from '../../src/protocol/primitives.ts';
import { codeOf, failureOf } from '../outcomes.ts';
import { APP_KEY, LOG_KEY, person, random } from '../protocol/people.ts';
import { LoggedDirectory } from './logged-directory.ts';

const appKey = await (await curves()).importVerifyingKey(APP_KEY.publicKey);
const logKey = await (await curves()).importVerifyingKey(LOG_KEY.publicKey);

/** A directory that approves whatever it gets; it can be told to answer otherwise. */
class Approving extends LoggedDirectory {
  answer = (exported: string): Promise<string> => super.publish(exported);
  readonly #answered = new Map<CardId, string>();

  override async publish(exported: string): Promise<string> {
    const answer = await this.answer(exported);
    this.#answered.set((await importCard(exported)).id, answer);
    return answer;
  }

  override get(id: CardId): Promise<string | null> {
    return Promise.resolve(this.#answered.get(id) ?? null);
  }
}

function proven(histories: ReadonlyMap<Identity, IdentityHistory>, head: LogHead): ProvenLookup {
  const { size, signedAt } = head;
  const proven = [...histories].map(
    ([one, history]) => [one, { ...history, size, signedAt }] as const,
  );
  return { head, histories: new Map(proven) };
}

interface Tools {
  readonly keys: Keys;
  readonly cards: Cards;
  readonly keyStore: MemoryKeyStore;
  readonly revoked: readonly CardId[];
  readonly close: () => void;
}

function tools(directory = new Approving(), keyStore = new MemoryKeyStore()): Tools {
  let closed = false;
  const revoked: CardId[] = [];
  const checkOpen = (): void => {
    if (closed) throw new EncryptionError('CLOSED', 'Closed.');
  };
  const source = {
    async lookUp(identities: readonly Identity[]) {
      const head = await directory.log.head(0);
      const answer = await directory.log.lookup(identities);
      const context = { logKey, appKeys: [appKey], head, identities };
      return proven(await verifyLookup(answer, context), head);
    },
    get: (id: CardId) => directory.get(id),
  };
  const book = cardBook(source, [appKey], Date.now);
  const context = {
    ...{ identity: parseIdentity('alice'), cards: book, directory, appKeys: [appKey] },
    ...{ now: Date.now, checkOpen },
    revoke(id: CardId) {
      revoked.push(id);
      return Promise.resolve();
    },
  };
  return {
    keyStore,
    revoked,
    keys: keys({ keyStore, random, checkOpen }),
    cards: cards(context),
    close: () => {
      closed = true;
    },
  };
}

async function keyAndCard(
  name: string,
  options?: KeyOptions,
): Promise<{ key: KeyPair; card: ExportableCard }> {
  const { keys: own, cards: ownCards } = tools();
  const key = await own.generate(options);
  return { key, card: await ownCards.create(name, key) };
}

const alice = await keyAndCard('alice');
const bob = await keyAndCard('bob');

/** Whether both keys are the same one: what is sealed for one, the other opens. */
async function areSame(one: KeyPair, other: KeyPair): Promise<boolean> {
  const card = await tools().cards.create('somebody', one);
  const opened = await other.decryptThenVerify(await one.signThenEncrypt('same', card), card);
  return opened.toString() === 'same';
}

describe('sealing', () => {
  test('text, bytes and streams', async () => {
    const sealed = await alice.key.signThenEncrypt('Grüße, 世界 \u{feff}', bob.card);
    const opened = await bob.key.decryptThenVerify(sealed, alice.card);
    expect(opened.toString()).toBe('Grüße, 世界 \u{feff}');
    expect(opened.text()).toBe('Grüße, 世界 \u{feff}');
    expect(String(opened)).toBe('Grüße, 世界 \u{feff}');

    const bytes = random(1000);
    const sealedBytes = await alice.key.signThenEncrypt(bytes, [bob.card, alice.card]);
    for (const { key } of [alice, bob]) {
      expect(new Uint8Array(await key.decryptThenVerify(sealedBytes, alice.card))).toEqual(bytes);
    }

    const stream = await alice.key.signThenEncrypt(new Blob([bytes]).stream(), bob.card);
    const openedStream = await bob.key.decryptThenVerify(stream, [bob.card, alice.card]);
    expect(new Uint8Array(await new Response(openedStream).arrayBuffer())).toEqual(bytes);
  });

  test('gives bytes like any others, with base64 of their own', async () => {
    const sealed = await alice.key.signThenEncrypt('Hey', bob.card);
    expect(sealed).toBeInstanceOf(Uint8Array);
    expect(sealed).toEqual(new Uint8Array(sealed));
    expect(Object.keys(sealed)).toHaveLength(sealed.length);
    expect(base64.decode(sealed.toBase64())).toEqual(new Uint8Array(sealed));
    expect(Object.hasOwn(Uint8Array.prototype, 'toBase64')).toBe('fromBase64' in Uint8Array);
    const opened = await bob.key.decryptThenVerify(sealed.toBase64(), alice.card);
    expect(opened.toString()).toBe('Hey');
    expect(Object.keys(opened)).toHaveLength(3);
  });

  test('text that is not Unicode, and bytes that are no text', async () => {
    expect(await codeOf(alice.key.signThenEncrypt('\ud800', bob.card))).toBe('INVALID_CONTENT');
    const sealed = await alice.key.signThenEncrypt(Uint8Array.of(72, 255), bob.card);
    expect((await bob.key.decryptThenVerify(sealed, alice.card)).toString()).toBe('H\ufffd');
  });

  test('does not follow what happens to the memory meanwhile', async () => {
    const data = Uint8Array.of(1, 2, 3);
    const sealing = alice.key.signThenEncrypt(data, bob.card);
    data.fill(0);
    const opened = await bob.key.decryptThenVerify(await sealing, alice.card);
    expect(new Uint8Array(opened)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('for a card twice is sealing for it once', async () => {
    const sealed = await alice.key.signThenEncrypt('Hey', [bob.card, bob.card]);
    expect(sealed).toHaveLength((await alice.key.signThenEncrypt('Hey', bob.card)).length);
  });

  test('is for its recipients, and from its sender', async () => {
    const sealed = await alice.key.signThenEncrypt('Hey', bob.card);
    expect(await codeOf(alice.key.decryptThenVerify(sealed, alice.card))).toBe('NOT_ADDRESSED');
    expect(await codeOf(bob.key.decryptThenVerify(sealed, bob.card))).toBe('BAD_SIGNATURE');
    const stream = await alice.key.signThenEncrypt(new Blob(['Hey']).stream(), bob.card);
    expect(await codeOf(alice.key.decryptThenVerify(stream, alice.card))).toBe('NOT_ADDRESSED');
  });

  test('of what is no data fails once, and leaves no rejection behind', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (event: unknown): void => void unhandled.push(event);
    const inNode = 'process' in globalThis;
    if (inNode) process.on('unhandledRejection', onUnhandled);
    else addEventListener('unhandledrejection', onUnhandled);
    const seal = (data: string): Promise<unknown> => alice.key.signThenEncrypt(data, []);
    const sealing: unknown = Reflect.apply(seal, undefined, [{ a: 1 }]);
    expect(await codeOf(Promise.resolve(sealing))).toBe('INVALID_ARGUMENT');
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (inNode) process.off('unhandledRejection', onUnhandled);
    else removeEventListener('unhandledrejection', onUnhandled);
    expect(unhandled).toEqual([]);
  });

  test('takes nothing but cards that were checked', async () => {
    // What an application would get from somebody's JSON, or by changing a card.
    const changed = { ...bob.card, encryptionKey: alice.card.encryptionKey };
    const { card } = await person('bob');
    for (const wrong of [[], [changed], [bob.card, changed], [card]]) {
      expect(await codeOf(alice.key.signThenEncrypt('Hey', wrong))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(bob.key.decryptThenVerify('', wrong))).toBe('INVALID_ARGUMENT');
    }
    expect(Object.isFrozen(bob.card)).toBe(true);
  });

  test('opens nothing that is not sealed data', async () => {
    for (const wrong of ['', 'Hey', 'e2e1.', '====', random(500), new Uint8Array()]) {
      expect(['MALFORMED', 'UNSUPPORTED_VERSION']).toContain(
        await codeOf(bob.key.decryptThenVerify(wrong, alice.card)),
      );
    }
    const sealed = await alice.key.signThenEncrypt(new Blob(['Hey']).stream(), bob.card);
    const all = new Uint8Array(await new Response(sealed).arrayBuffer());
    expect(await codeOf(bob.key.decryptThenVerify(all, alice.card))).toBe('UNSUPPORTED_VERSION');
    const data = await alice.key.signThenEncrypt('Hey', bob.card);
    expect(await codeOf(bob.key.decryptThenVerify(new Blob([data]).stream(), alice.card))).toBe(
      'MALFORMED',
    );
  });

  test('shows neither private key nor a way to sign anything', () => {
    expect(Object.keys(alice.key).sort()).toEqual([
      'decryptThenIdentify',
      'decryptThenVerify',
      'export',
      'save',
      'signThenEncrypt',
    ]);
    expect(JSON.stringify(alice.key)).toBe('{}');
  });
});

describe('who signed', () => {
  const TEXT = 'a long report';

  test('is told of text, bytes and streams, as the very card that was given', async () => {
    const carol = await keyAndCard('carol');
    const cards = [carol.card, alice.card, bob.card];
    for (const { key, card } of [alice, carol]) {
      const sealed = await key.signThenEncrypt(TEXT, bob.card);
      for (const form of [sealed, sealed.toBase64()]) {
        const { data, sender } = await bob.key.decryptThenIdentify(form, cards);
        expect(data.toString()).toBe(TEXT);
        expect(sender).toBe(card);
      }
      const stream = await key.signThenEncrypt(new Blob([TEXT]).stream(), bob.card);
      const opened = await bob.key.decryptThenIdentify(stream, cards);
      expect(opened.sender).toBe(card);
      expect(await new Response(opened.data).text()).toBe(TEXT);
    }
    const sealed = await alice.key.signThenEncrypt(TEXT, bob.card);
    expect((await bob.key.decryptThenIdentify(sealed, alice.card)).sender.export()).toBe(
      alice.card.export(),
    );
  });

  test('is whose key it was, whatever becomes of the array meanwhile', async () => {
    const senders = [alice.card];
    const sealed = await alice.key.signThenEncrypt(TEXT, bob.card);
    const opening = bob.key.decryptThenIdentify(sealed, senders);
    senders[0] = bob.card;
    expect((await opening).sender).toBe(alice.card);
  });

  test('is the first of the cards that hold the key that signed', async () => {
    const { cards: ownCards } = tools();
    const second = await ownCards.create('alice', alice.key, { role: 'nurse' });
    const sealed = await alice.key.signThenEncrypt(TEXT, bob.card);
    for (const cards of [
      [second, alice.card],
      [alice.card, second],
    ]) {
      expect((await bob.key.decryptThenIdentify(sealed, cards)).sender).toBe(cards[0]);
    }
  });

  test('is never told of what does not verify', async () => {
    const sealed = await alice.key.signThenEncrypt(TEXT, bob.card);
    const stream = () => alice.key.signThenEncrypt(new Blob([TEXT]).stream(), bob.card);
    const { key } = bob;
    expect(await codeOf(key.decryptThenIdentify(sealed, bob.card))).toBe('BAD_SIGNATURE');
    expect(await codeOf(key.decryptThenIdentify(await stream(), bob.card))).toBe('BAD_SIGNATURE');
    expect(await codeOf(key.decryptThenIdentify(sealed, { ...alice.card }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await codeOf(alice.key.decryptThenIdentify(sealed, alice.card))).toBe('NOT_ADDRESSED');
    expect(await codeOf(alice.key.decryptThenIdentify(await stream(), alice.card))).toBe(
      'NOT_ADDRESSED',
    );
  });
});

describe('a key with postQuantum', async () => {
  const pqAlice = await keyAndCard('alice', { postQuantum: true });
  const pqBob = await keyAndCard('bob', { postQuantum: true });
  const suiteOf = (sealed: Uint8Array): number | undefined => sealed[2];

  test('is on its card, which says so to everybody', async () => {
    expect(pqBob.card.pqEncryptionKey).toHaveLength(1216);
    const again = await tools().cards.import(pqBob.card.export());
    expect(again.pqEncryptionKey).toEqual(pqBob.card.pqEncryptionKey);
    expect(bob.card.pqEncryptionKey).toBeUndefined();
    expect((await keyAndCard('bob', { postQuantum: false })).card.pqEncryptionKey).toBeUndefined();
  });

  test('is sealed for in suite 2, at once and as a stream, by whatever key', async () => {
    for (const { key, card } of [pqAlice, alice]) {
      const sealed = await key.signThenEncrypt('Hey', [pqBob.card, pqAlice.card]);
      expect(suiteOf(sealed)).toBe(2);
      for (const reader of [pqBob, pqAlice]) {
        expect((await reader.key.decryptThenVerify(sealed, card)).toString()).toBe('Hey');
      }
      const stream = await key.signThenEncrypt(new Blob(['Hey']).stream(), pqBob.card);
      const [seen, read] = stream.tee();
      const all = new Uint8Array(await new Response(seen).arrayBuffer());
      expect(suiteOf(all.subarray(4))).toBe(2);
      const opened = await pqBob.key.decryptThenVerify(read, card);
      expect(await new Response(opened).text()).toBe('Hey');
    }
  });

  test('gets one slot, however many cards have it', async () => {
    const { cards: ownCards } = tools();
    const second = await ownCards.create('bob', pqBob.key, { role: 'nurse' });
    const sealed = await alice.key.signThenEncrypt('Hey', [pqBob.card, second]);
    expect(sealed).toHaveLength((await alice.key.signThenEncrypt('Hey', pqBob.card)).length);
  });

  test('is never sealed for in suite 1: not beside a card without, which is named', async () => {
    for (const { key } of [alice, pqAlice]) {
      const both = [pqBob.card, bob.card, alice.card, bob.card];
      const failure = await failureOf(key.signThenEncrypt('Hey', both));
      expect(failure.code).toBe('MEMBER_WITHOUT_POST_QUANTUM_KEY');
      expect(failure.identities).toEqual(['bob', 'alice']);
      const stream = key.signThenEncrypt(new Blob(['Hey']).stream(), both);
      expect(await codeOf(stream)).toBe('MEMBER_WITHOUT_POST_QUANTUM_KEY');
    }
  });

  test('never seals in suite 1, as keys without do among themselves', async () => {
    expect(await codeOf(pqAlice.key.signThenEncrypt('Hey', bob.card))).toBe(
      'MEMBER_WITHOUT_POST_QUANTUM_KEY',
    );
    expect(suiteOf(await alice.key.signThenEncrypt('Hey', bob.card))).toBe(1);
  });

  test('keeps its half for suite 2 when it is saved, loaded, exported and imported', async () => {
    const { keys: own } = tools();
    const key = await own.generate({ postQuantum: true });
    await key.save('alice', 'password');
    const loaded = await own.load('alice', 'password');
    const moved = await tools().keys.import(
      await loaded.export('other', { currentPassword: 'password' }),
      'other',
    );
    const { cards: ownCards } = tools();
    const card = await ownCards.create('alice', key);
    for (const same of [loaded, moved]) {
      expect(await areSame(key, same)).toBe(true);
      expect((await ownCards.create('alice', same)).pqEncryptionKey).toEqual(card.pqEncryptionKey);
    }
  });

  test('is what a device with a card of suite 2 makes, unless it is told otherwise', async () => {
    const context = { keyStore: new MemoryKeyStore(), random, checkOpen: () => undefined };
    const own = keys({ ...context, postQuantum: true });
    const { cards: ownCards } = tools();
    const card = await ownCards.create('alice', await own.generate());
    expect(card.pqEncryptionKey).toHaveLength(1216);
    const without = await ownCards.create('alice', await own.generate({ postQuantum: false }));
    expect(without.pqEncryptionKey).toBeUndefined();
  });

  test('is not believed to be one when the option is misspelt', async () => {
    const misspelt: object = { postquantum: true };
    expect(await codeOf(tools().keys.generate(misspelt))).toBe('INVALID_ARGUMENT');
  });

  test('leaves no secret behind when it cannot be loaded', async () => {
    const secret = makeSecret(random, true).subarray(0, 70);
    const context = { keyStore: new MemoryKeyStore(), random, checkOpen: () => undefined };
    expect(await codeOf(keyPair(secret, null, context))).toBe('KEY_RECORD_DAMAGED');
    expect(secret.some(Boolean)).toBe(false);
  });
});

describe('a key', () => {
  test('is saved, found, loaded and deleted', async () => {
    const { keys: own } = tools();
    const key = await own.generate();
    expect(await own.exists('alice')).toBe(false);
    await key.save('alice', 'password');
    expect(await own.exists('alice')).toBe(true);
    expect(await areSame(key, await own.load('alice', 'password'))).toBe(true);
    await own.delete('alice');
    expect(await own.exists('alice')).toBe(false);
    expect(await codeOf(own.load('alice', 'password'))).toBe('KEY_NOT_FOUND');
    await own.delete('alice');
  });

  test('is not overwritten, not even by one that is saved at the same time', async () => {
    const { keys: own } = tools();
    const [one, two] = [await own.generate(), await own.generate()];
    const outcomes = await Promise.allSettled([one.save('a', 'first'), two.save('a', 'second')]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [first, second] = outcomes[0].status === 'fulfilled' ? [one, two] : [two, one];
    const kept = await own.load('a', first === one ? 'first' : 'second');
    expect(await areSame(kept, first)).toBe(true);
    // Refused, it is still there to be saved under another name.
    expect(await codeOf(second.save('a', 'second'))).toBe('KEY_EXISTS');
    await second.save('b', 'second');
    expect(await areSame(await own.load('b', 'second'), second)).toBe(true);
  });

  test('that is saved twice at once is saved whole both times', async () => {
    const { keys: own } = tools();
    const key = await own.generate();
    const [, , exported] = await Promise.all([
      key.save('a', 'first'),
      key.save('b', 'second'),
      key.export('third'),
    ]);
    expect(await areSame(key, await own.load('a', 'first'))).toBe(true);
    expect(await areSame(key, await own.load('b', 'second'))).toBe(true);
    expect(await areSame(key, await own.import(exported, 'third'))).toBe(true);
  });

  test('travels as a string under a password', async () => {
    const { keys: own } = tools();
    const key = await own.generate();
    const exported = await key.export('password');
    expect(exported).toMatch(/^[\w-]+$/);
    const { keys: elsewhere } = tools();
    const imported = await elsewhere.import(exported, 'password');
    expect(await areSame(key, imported)).toBe(true);
    await imported.save('moved', 'another');
    expect(await areSame(key, await elsewhere.load('moved', 'another'))).toBe(true);
    expect(await codeOf(elsewhere.import(exported, 'passwort'))).toBe('WRONG_PASSWORD');
  });

  test('leaves a saved or loaded one by its own password only', async () => {
    const { keys: own } = tools();
    const key = await own.generate();
    await key.export('any');
    await key.save('alice', 'password');
    for (const one of [key, await own.load('alice', 'password')]) {
      expect(await codeOf(one.export('any'))).toBe('WRONG_PASSWORD');
      expect(await codeOf(one.save('copy', 'any'))).toBe('WRONG_PASSWORD');
      const exported = await one.export('any', { currentPassword: 'password' });
      expect(await areSame(key, await own.import(exported, 'any'))).toBe(true);
    }
    await key.save('copy', 'new password', { currentPassword: 'password' });
    const copy = await own.load('copy', 'new password');
    expect(await areSame(key, copy)).toBe(true);
    expect(await codeOf(copy.export('password'))).toBe('WRONG_PASSWORD');
  });

  test('does not keep its secret in memory once it is saved', async () => {
    const keyStore = new MemoryKeyStore();
    const context = { keyStore, random, checkOpen: () => undefined };
    const secret = makeSecret(random);
    const key = await keyPair(secret, null, context);
    await key.export('another');
    expect(secret.some(Boolean)).toBe(true);
    await key.save('alice', 'password');
    expect(secret.some(Boolean)).toBe(false);

    const again = makeSecret(random);
    await keyPair(again, { name: 'saved-key/alice', bytes: new Uint8Array() }, context);
    expect(again.some(Boolean)).toBe(false);
    expect(await areSame(key, await keys(context).load('alice', 'password'))).toBe(true);
  });

  test('moved to another name, damaged or made of something else does not open', async () => {
    const { keys: own, keyStore } = tools();
    const key = await own.generate();
    await key.save('alice', 'password');
    const record = (await keyStore.get('saved-key/alice')) ?? new Uint8Array();

    await keyStore.update('saved-key/bob', () => record);
    expect(await codeOf(own.load('bob', 'password'))).toBe('KEY_RECORD_DAMAGED');
    expect(await codeOf(own.import(base64url.encode(record), 'password'))).toBe(
      'KEY_RECORD_DAMAGED',
    );
    const exported = base64url.decode(await key.export('password')) ?? new Uint8Array();
    await keyStore.update('saved-key/bob', () => exported);
    expect(await codeOf(own.load('bob', 'password'))).toBe('KEY_RECORD_DAMAGED');

    for (const at of [0, 5, 70, record.length - 1]) {
      const damaged = record.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await keyStore.update('saved-key/alice', () => damaged);
      expect(['KEY_RECORD_DAMAGED', 'WRONG_PASSWORD']).toContain(
        await codeOf(own.load('alice', 'password')),
      );
    }
    for (const secret of [
      new Uint8Array(65),
      new Uint8Array(66).fill(1),
      new Uint8Array(97).fill(1),
      new Uint8Array(65).fill(2),
      new Uint8Array(97).fill(3),
      new Uint8Array(),
    ]) {
      const planted = await sealKeyRecord('saved-key/alice', secret, 'password', random);
      await keyStore.update('saved-key/alice', () => planted);
      expect(await codeOf(own.load('alice', 'password'))).toBe('KEY_RECORD_DAMAGED');
    }
  });

  test('needs a name and a password that are ones', async () => {
    const { keys: own } = tools();
    const key = await own.generate();
    for (const name of ['', 'n'.repeat(257), '\ud800']) {
      expect(await codeOf(key.save(name, 'password'))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(own.exists(name))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(own.load(name, 'password'))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(own.delete(name))).toBe('INVALID_ARGUMENT');
    }
    expect(await codeOf(key.save('alice', ''))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(key.export(''))).toBe('INVALID_ARGUMENT');
    for (const wrong of ['', 'no key', 'x'.repeat(100), 'x'.repeat(5000)]) {
      expect(await codeOf(own.import(wrong, 'password'))).toBe('KEY_RECORD_DAMAGED');
    }
  });
});

describe('a card', () => {
  test('is made for a key, and says what it was told', async () => {
    const { keys: own, cards: ownCards } = tools();
    const key = await own.generate();
    const card = await ownCards.create('alice', key, { role: 'nurse' });
    expect(card).toMatchObject({ identity: 'alice', fields: { role: 'nurse' } });
    expect(await ownCards.import(card.export())).toMatchObject({ id: card.id });
    expect((await ownCards.create('alice', key, {})).fields).toBeUndefined();
    expect(await codeOf(ownCards.create('', key))).toBe('INVALID_IDENTITY');
    expect(await codeOf(ownCards.create('alice', key, { role: '' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(ownCards.create('alice', { ...key }))).toBe('INVALID_ARGUMENT');
  });

  test('is published, found and got with the approval', async () => {
    const directory = new Approving();
    const { cards: ownCards } = tools(directory);
    const published = await ownCards.publish(alice.card);
    expect(published.id).toBe(alice.card.id);
    expect(published.signatures.map(({ signer }) => signer)).toEqual(['self', 'app']);
    expect(await ownCards.find('bob')).toEqual([]);
    // Found the next moment, although somebody just looked.
    await directory.publish(bob.card.export());
    const found = await ownCards.find('alice', 'bob', 'alice');
    expect(found.map(({ identity }) => identity)).toEqual(['alice', 'bob']);
    expect((await ownCards.find(['alice', 'bob'])).map(({ id }) => id)).toEqual(
      found.map(({ id }) => id),
    );
    expect(await ownCards.find()).toEqual([]);
    expect((await ownCards.get(bob.card.id)).identity).toBe('bob');
    const sealed = await alice.key.signThenEncrypt('Hey both', found);
    const opened = await bob.key.decryptThenVerify(sealed, await ownCards.find('alice'));
    expect(opened.toString()).toBe('Hey both');
  });

  test('that nobody approved is not found, not got and not published', async () => {
    const directory = new Approving();
    const { cards: ownCards } = tools(directory);
    directory.answer = (exported) => Promise.resolve(exported);
    expect(await codeOf(ownCards.publish(bob.card))).toBe('CARD_INVALID');
    expect(await ownCards.find('bob')).toEqual([]);
    expect(await codeOf(ownCards.get(bob.card.id))).toBe('CARD_INVALID');
    expect(await codeOf(ownCards.get(alice.card.id))).toBe('CARD_NOT_FOUND');
    expect(await codeOf(ownCards.get('bob'))).toBe('INVALID_ARGUMENT');
    const { card: other } = await person('bob');
    directory.answer = () => Promise.resolve(exportCard(other));
    expect(await codeOf(ownCards.publish(bob.card))).toBe('CARD_INVALID');
    expect(await codeOf(ownCards.publish({ ...bob.card }))).toBe('INVALID_ARGUMENT');
  });

  test('is imported when it is whole', async () => {
    const { cards: ownCards } = tools();
    expect(await codeOf(ownCards.import(alice.card.export().slice(0, -4)))).toBe('CARD_INVALID');
    expect(await codeOf(ownCards.import(''))).toBe('CARD_INVALID');
  });

  test('is revoked by its holder’s device, and no other one', async () => {
    const { cards: ownCards, revoked } = tools();
    await ownCards.revoke(alice.card);
    expect(revoked).toEqual([alice.card.id]);
    expect(await codeOf(ownCards.revoke({ ...alice.card }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(ownCards.revoke(bob.card))).toBe('INVALID_ARGUMENT');
    expect(revoked).toHaveLength(1);
  });
});

test('nothing works after close()', async () => {
  const { keys: own, cards: ownCards, close } = tools();
  const key = await own.generate();
  const card = await ownCards.create('alice', key);
  const sealed = await key.signThenEncrypt('Hey', card);
  close();
  const calls: readonly (() => Promise<unknown>)[] = [
    () => own.generate(),
    () => own.load('a', 'b'),
    () => own.exists('a'),
    () => own.delete('a'),
    () => own.import('a', 'b'),
    () => key.save('a', 'b'),
    () => key.export('b'),
    () => key.signThenEncrypt('Hey', card),
    () => key.decryptThenVerify(sealed, card),
    () => key.decryptThenIdentify(sealed, card),
    () => ownCards.create('alice', key),
    () => ownCards.import(card.export()),
    () => ownCards.publish(card),
    () => ownCards.find('alice'),
    () => ownCards.get(card.id),
    () => ownCards.revoke(card),
  ];
  for (const call of calls) expect(await codeOf(call()), call.toString()).toBe('CLOSED');
});
