/** Comparing safety numbers, with directories that say what they like to whom they like. */
import {
  Encryption,
  MemoryKeyStore,
  type Directory,
  type EncryptionOptions,
  type KeyStore,
} from 'twilio-chat-encryption';
import { createCard, exportCard, importCard, parseIdentity } from 'twilio-chat-encryption/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { codeOf, failureOf } from '../outcomes.ts';
import { person } from '../protocol/people.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

/** What a server shows one person of a card that another publishes: itself, others, or nothing. */
type Shown = (exported: string) => Promise<readonly string[]>;

/** A token server that holds both keys, and keeps another log for everybody whom it lies to. */
class Server {
  readonly #logs = new Map<string, LoggedDirectory>();
  readonly #shown = new Map<string, Shown>();
  readonly #published: string[] = [];
  isDown = false;
  searches = 0;

  /** What it shows about somebody to this viewer only. */
  lie(viewer: string, about: string, shown: Shown): void {
    this.#shown.set(`${viewer}/${about}`, shown);
  }

  /** Publishes a card to all. */
  async publish(exported: string): Promise<string> {
    this.#published.push(exported);
    for (const viewer of this.#logs.keys()) await this.#show(viewer, exported);
    return new LoggedDirectory().publish(exported);
  }

  async #show(viewer: string, exported: string): Promise<void> {
    const { identity } = await importCard(exported);
    const shown = this.#shown.get(`${viewer}/${identity}`);
    for (const one of shown ? await shown(exported) : [exported]) {
      await this.#logs.get(viewer)?.publish(one);
    }
  }

  async directory(viewer: string): Promise<Directory> {
    const known = this.#logs.get(viewer);
    const log = known ?? new LoggedDirectory();
    this.#logs.set(viewer, log);
    if (!known) for (const exported of this.#published) await this.#show(viewer, exported);
    return {
      publish: (exported) => this.publish(exported),
      lookup: (identities, from) => {
        if (this.isDown) return Promise.reject(new Error('down'));
        this.searches += 1;
        return log.lookup(identities, from);
      },
      lookupAt: (identity, size) => log.lookupAt(identity, size),
      consistency: (from, to) => log.consistency(from, to),
      get: () => Promise.resolve(null),
      revoke: (id, revocation) => log.revoke(id, revocation),
    };
  }
}

const opened: Encryption[] = [];

afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function open(
  server: Server,
  identity: string,
  keyStore: KeyStore = new MemoryKeyStore(),
  options: Partial<EncryptionOptions> = {},
): Promise<Encryption> {
  const encryption = await Encryption.open({
    identity,
    ...PINS,
    server: await server.directory(identity),
    keyStore,
    password: 'password',
    ...options,
  });
  opened.push(encryption);
  return encryption;
}

/** Alice and Bob, each with one device, and their server. */
async function pair(
  server = new Server(),
): Promise<{ server: Server; alice: Encryption; bob: Encryption }> {
  return { server, alice: await open(server, 'alice'), bob: await open(server, 'bob') };
}

/** A card in somebody's name that is not theirs. */
async function plantedCard(identity: string): Promise<string> {
  return exportCard((await person(identity)).card);
}

async function trustsOf(encryption: Encryption, identity: string): Promise<readonly string[]> {
  return (await encryption.trustOf(identity)).map(({ trust }) => trust);
}

describe('a safety number', () => {
  test('is the same on both screens, and each scans a match from the other', async () => {
    const { alice, bob } = await pair();
    const [mine, theirs] = [await alice.safetyNumber('bob'), await bob.safetyNumber('alice')];
    expect(theirs.digits).toBe(mine.digits);
    expect(mine.devices).toEqual({ own: 1, theirs: 1 });
    expect(await alice.compareSafetyNumber('bob', theirs.qr)).toBe('match');
    expect(await bob.compareSafetyNumber('alice', mine.qr)).toBe('match');
    expect(await alice.compareSafetyNumber('bob', mine.qr)).toBe('otherPeople');
  });

  test('is of the devices of now: the directory is asked each time', async () => {
    const { server, alice } = await pair();
    const before = await alice.safetyNumber('bob');
    await open(server, 'bob');
    const { searches } = server;
    const after = await alice.safetyNumber('bob');
    expect(after.digits).not.toBe(before.digits);
    expect(after.devices).toEqual({ own: 1, theirs: 2 });
    expect(server.searches).toBe(searches + 1);
  });

  test('is told from one where a card was slipped in between them: the devices differ', async () => {
    const server = new Server();
    server.lie('alice', 'bob', async (card) => [card, await plantedCard('bob')]);
    const { alice, bob } = await pair(server);
    const [mine, theirs] = [await alice.safetyNumber('bob'), await bob.safetyNumber('alice')];
    expect(mine.digits).not.toBe(theirs.digits);
    expect(await alice.compareSafetyNumber('bob', theirs.qr)).toBe('differentDevices');
  });

  test('is told from one where a card was put in the place of another, at first sight too', async () => {
    const server = new Server();
    server.lie('alice', 'bob', async () => [await plantedCard('bob')]);
    server.lie('bob', 'alice', async () => [await plantedCard('alice')]);
    const { alice, bob } = await pair(server);
    const [mine, theirs] = [await alice.safetyNumber('bob'), await bob.safetyNumber('alice')];
    expect(mine.digits).not.toBe(theirs.digits);
    expect(await alice.compareSafetyNumber('bob', theirs.qr)).toBe('mismatch');
    expect(await bob.compareSafetyNumber('alice', mine.qr)).toBe('mismatch');
    expect(await codeOf(alice.markVerified('bob', theirs.digits))).toBe('SAFETY_NUMBER_CHANGED');
    expect(await trustsOf(alice, 'bob')).toEqual(['pinned']);
  });

  test('covers this device, whatever the directory says of it', async () => {
    const server = new Server();
    server.lie('alice', 'alice', () => Promise.resolve([]));
    const { alice, bob } = await pair(server);
    const { devices, digits } = await alice.safetyNumber('bob');
    expect(devices).toEqual({ own: 1, theirs: 1 });
    expect((await bob.safetyNumber('alice')).digits).toBe(digits);
  });

  test('is not shown while one’s own name has a card that nobody acknowledged', async () => {
    const { server, alice, bob } = await pair();
    const reports: (readonly string[])[] = [];
    bob.on('ownCardUnknown', ({ identity, cardIds }) => reports.push([identity, ...cardIds]));
    const planted = await plantedCard('bob');
    await server.publish(planted);
    const { code, identities } = await failureOf(bob.safetyNumber('alice'));
    expect({ code, identities }).toEqual({ code: 'KEY_CHANGED', identities: ['bob'] });
    expect(await codeOf(bob.compareSafetyNumber('alice', 'X'))).toBe('KEY_CHANGED');
    const { id } = await importCard(planted);
    expect(reports).toEqual([['bob', id]]);
    // Alice has one to show; it covers what Bob would have to vouch for.
    expect((await alice.safetyNumber('bob')).devices.theirs).toBe(2);
    await bob.acknowledge('bob', [id]);
    expect((await bob.safetyNumber('alice')).devices.own).toBe(2);
  });

  test('covers no card with a key of an earlier one', async () => {
    const { server, alice } = await pair();
    const { signingKey, encryptionKey } = await person('carol');
    for (const createdAt of [1, 2]) {
      const content = { identity: parseIdentity('carol'), createdAt };
      await server.publish(exportCard(await createCard(content, signingKey, encryptionKey)));
    }
    const { digits, devices } = await alice.safetyNumber('carol');
    expect(devices.theirs).toBe(1);
    expect(await alice.markVerified('carol', digits)).toHaveLength(1);
  });

  test('names who has no card yet', async () => {
    const { alice } = await pair();
    const { code, identities } = await failureOf(alice.safetyNumber('nobody'));
    expect({ code, identities }).toEqual({ code: 'MEMBER_WITHOUT_CARD', identities: ['nobody'] });
    expect(await alice.trustOf('nobody')).toEqual([]);
  });

  test('is asked for in vain when the directory does not answer, and nothing is marked', async () => {
    const { server, alice } = await pair();
    const { digits, qr } = await alice.safetyNumber('bob');
    server.isDown = true;
    const unreachable = 'DIRECTORY_UNREACHABLE';
    expect(await codeOf(alice.safetyNumber('bob'))).toBe(unreachable);
    expect(await codeOf(alice.compareSafetyNumber('bob', qr))).toBe(unreachable);
    expect(await codeOf(alice.markVerified('bob', digits))).toBe(unreachable);
    server.isDown = false;
    expect(await trustsOf(alice, 'bob')).toEqual(['pinned']);
  });
});

describe('marking', () => {
  test('marks the cards that the number covers, and is kept', async () => {
    const server = new Server();
    const keyStore = new MemoryKeyStore();
    const alice = await open(server, 'alice', keyStore);
    const bob = await open(server, 'bob', undefined, { device: 'Phone' });
    expect(await trustsOf(alice, 'bob')).toEqual(['new']);
    const { digits } = await alice.safetyNumber('bob');
    expect(await alice.markVerified('bob', digits)).toEqual([bob.cardId]);
    const marked = [{ cardId: bob.cardId, device: 'Phone', trust: 'verified' }];
    expect(await alice.trustOf('bob')).toEqual(marked);
    alice.close();
    expect(await (await open(server, 'alice', keyStore)).trustOf('bob')).toEqual(marked);
    // It is Alice's mark: Bob makes his own.
    expect(await trustsOf(bob, 'alice')).toEqual(['new']);
  });

  test('marks no card that appeared between showing and marking', async () => {
    const { server, alice, bob } = await pair();
    const { digits } = await alice.safetyNumber('bob');
    await server.publish(await plantedCard('bob'));
    expect(await codeOf(alice.markVerified('bob', digits))).toBe('SAFETY_NUMBER_CHANGED');
    const trust = new Map((await alice.trustOf('bob')).map((one) => [one.cardId, one.trust]));
    expect([...trust.values()]).toEqual(['pinned', 'changed']);
    expect(trust.get(bob.cardId)).toBe('pinned');
  });

  test('is not inherited by a card that is added later, acknowledged or not', async () => {
    const { server, alice } = await pair();
    await alice.markVerified('bob', (await alice.safetyNumber('bob')).digits);
    const laptop = await open(server, 'bob');
    await alice.safetyNumber('bob');
    expect(await trustsOf(alice, 'bob')).toEqual(['verified', 'changed']);
    await alice.acknowledge('bob', [laptop.cardId]);
    expect(await trustsOf(alice, 'bob')).toEqual(['verified', 'pinned']);
  });

  test('is also acknowledging: a new card that was compared is one that gets messages', async () => {
    const { server, alice, bob } = await pair();
    await alice.trustOf('bob');
    const laptop = await open(server, 'bob');
    await laptop.safetyNumber('alice').catch(() => undefined);
    await laptop.acknowledge('bob', [bob.cardId]);
    const shown = await laptop.safetyNumber('alice');
    expect(await alice.compareSafetyNumber('bob', shown.qr)).toBe('match');
    expect(await trustsOf(alice, 'bob')).toEqual(['pinned', 'changed']);
    expect(await alice.markVerified('bob', shown.digits)).toEqual([bob.cardId, laptop.cardId]);
    expect(await trustsOf(alice, 'bob')).toEqual(['verified', 'verified']);
  });
});

/** Calls a method as JavaScript would, whatever the arguments are. */
function call(target: object, name: string, ...given: unknown[]): unknown {
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== 'function') throw new Error(`There is no ${name}.`);
  const result: unknown = Reflect.apply(method, target, given);
  return result;
}

describe('what is no argument', () => {
  test('is refused by its name', async () => {
    const { alice } = await pair();
    const { digits, qr } = await alice.safetyNumber('bob');
    const refused: readonly (readonly [() => unknown, string, string])[] = [
      [() => alice.safetyNumber('alice'), 'INVALID_ARGUMENT', 'identity'],
      [() => alice.markVerified('alice', digits), 'INVALID_ARGUMENT', 'identity'],
      [() => alice.safetyNumber(''), 'INVALID_IDENTITY', 'identity'],
      [() => alice.trustOf('a\u200b'), 'INVALID_IDENTITY', 'identity'],
      [() => alice.compareSafetyNumber('bob', digits), 'INVALID_ARGUMENT', 'code'],
      [() => alice.markVerified('bob', qr), 'INVALID_ARGUMENT', 'digits'],
      [() => alice.markVerified('bob', digits.replaceAll(' ', '')), 'INVALID_ARGUMENT', 'digits'],
      [() => call(alice, 'safetyNumber', 5), 'INVALID_ARGUMENT', 'identity'],
      [() => call(alice, 'trustOf', null), 'INVALID_ARGUMENT', 'identity'],
      [() => call(alice, 'compareSafetyNumber', 'bob'), 'INVALID_ARGUMENT', 'scanned'],
      [() => call(alice, 'markVerified', 'bob'), 'INVALID_ARGUMENT', 'digits'],
    ];
    for (const [make, code, named] of refused) {
      const { code: given, message } = await failureOf(Promise.resolve(make()));
      expect({ given, message: message.toLowerCase() }).toEqual({
        given: code,
        message: expect.stringContaining(named) as string,
      });
    }
  });

  test('is not looked at after closing', async () => {
    const { alice } = await pair();
    const { digits, qr } = await alice.safetyNumber('bob');
    alice.close();
    expect(await codeOf(alice.safetyNumber('bob'))).toBe('CLOSED');
    expect(await codeOf(alice.compareSafetyNumber('bob', qr))).toBe('CLOSED');
    expect(await codeOf(alice.markVerified('bob', digits))).toBe('CLOSED');
    expect(await codeOf(alice.trustOf('bob'))).toBe('CLOSED');
  });
});
