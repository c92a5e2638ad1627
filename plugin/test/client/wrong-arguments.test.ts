/** What an application gets wrong, in JavaScript too: a typed error that names it, and no other. */
import { describe, expect, test, vi } from 'vitest';
import {
  deriveAuthSecret,
  Encryption,
  isEncryptionError,
  MemoryKeyStore,
  type Directory,
  type EncryptionOptions,
  type KeyStore,
} from 'twilio-chat-encryption';
import { approveCard, exportCard, importCard } from 'twilio-chat-encryption/protocol';
import { base64url } from '../../src/protocol/primitives.ts';
import { codeOf, failureOf } from '../outcomes.ts';
import { APP_KEY } from '../protocol/people.ts';

const APP = base64url.encode(APP_KEY.publicKey);

const directory: Directory = {
  publish: async (exported) => exportCard(await approveCard(await importCard(exported), APP_KEY, 1)),
  find: () => Promise.resolve(new Map()),
  get: () => Promise.resolve(null),
};

function options(changes: Partial<EncryptionOptions> = {}): EncryptionOptions {
  const keyStore = new MemoryKeyStore();
  return { identity: 'alice', server: directory, appKey: APP, keyStore, password: 'p', ...changes };
}

/** Calls it as JavaScript would, whatever the arguments are. */
async function call(method: (...args: never[]) => unknown, ...given: unknown[]): Promise<unknown> {
  return Reflect.apply(method, undefined, given) as unknown;
}

/** Expects `INVALID_ARGUMENT` with a text that has this in it. */
async function expectNamed(promise: Promise<unknown>, named: string): Promise<void> {
  const { code, message } = await failureOf(promise);
  expect({ code, message }).toEqual({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(named) as string,
  });
}

const open = (...given: unknown[]): Promise<unknown> => call(Encryption.open, ...given);

describe('Encryption.open', () => {
  test.each([[], [null], ['alice'], [5], [[]]])('of %j says that it takes options', async (...given) => {
    await expectNamed(open(...given), 'Encryption.open');
  });

  const KEY_STORES: unknown[] = [null, {}, 5, 'folder', { get: () => Promise.resolve(null) }];
  test.each<[keyof EncryptionOptions, readonly unknown[]]>([
    ['identity', [undefined, null, 5, {}]],
    ['appKey', [undefined, null, 5, {}, [], [5], '', 'short', [APP, 'short'], [APP, null]]],
    ['password', [undefined, null, 5, {}, '\ud800']],
    ['server', [undefined, null, 5, {}, { publish: () => Promise.resolve('') }, '', 'no url']],
    ['keyStore', KEY_STORES],
    ['device', [null, 5, '', 'x'.repeat(257), '\ud800', 'a\u202eb']],
    ['postQuantum', [null, 'yes', 1, {}]],
    ['metadata', [null, 'clea', true, {}]],
    ['recipients', ['nobody', 5]],
    ['clearAttributes', ['name', [5]]],
    ['channels', [null, 'some', 5]],
  ])('names %s when it is wrong', async (name, values) => {
    for (const value of values) await expectNamed(open({ ...options(), [name]: value }), name);
  });

  test('with a server URL needs authorize to be a function', async () => {
    const server = 'https://chat.example';
    for (const authorize of [undefined, null, 'token', {}]) {
      await expectNamed(open({ ...options(), server, authorize }), 'authorize');
    }
  });

  test('without a keyStore says what there is for Node', async () => {
    const { keyStore, ...others } = options();
    expect(keyStore).toBeDefined();
    const { code, message } = await failureOf(Encryption.open(others));
    expect(code).toBe('INVALID_ARGUMENT');
    expect(message).toContain('FileKeyStore');
    expect(message).toContain("'twilio-chat-encryption/node'");
  });

  test('says nothing of the password', async () => {
    const { message } = await failureOf(open({ ...options(), password: ['hunter2'] }));
    expect(message).not.toContain('hunter2');
  });

  test('with one pinned key of two that is none leaves no rejection behind', async () => {
    await expectNamed(open({ ...options(), appKey: ['A'.repeat(43), 'short'] }), 'appKey');
  });
});

describe('a key store of the application’s own', () => {
  const wrong: Readonly<Record<string, (memory: MemoryKeyStore) => Partial<KeyStore>>> = {
    'keyStore.update': () => ({ update: () => Promise.resolve() }),
    'keyStore.get': () => ({ get: () => call(() => 'text') as Promise<null> }),
    'keyStore.lock': () => ({ lock: () => call(() => undefined) as Promise<never> }),
  };
  test.each(Object.entries(wrong))('that does not do what %s has to do is told', async (name, of) => {
    const memory = new MemoryKeyStore();
    const keyStore: KeyStore = {
      get: (record) => memory.get(record),
      update: (record, change) => memory.update(record, change),
      lock: (record, work) => memory.lock(record, work),
      ...of(memory),
    };
    await expectNamed(Encryption.open(options({ keyStore })), name);
  });
});

describe('a directory of the application’s own', () => {
  test('that answers something else is told, by its method', async () => {
    const answers: Record<string, unknown> = { ...directory };
    for (const [name, answer] of Object.entries({ publish: null, find: {}, get: 5 })) {
      const server = { ...answers, [name]: () => Promise.resolve(answer) };
      const failing = (async () => {
        const alice = await Encryption.open({ ...options(), ...{ server: wrongly(server) } });
        await alice.cards.find('bob');
        await alice.cards.get('ab'.repeat(32));
      })();
      const { code, message } = await failureOf(failing);
      expect(code).toBe('DIRECTORY_REFUSED');
      expect(message).toContain(name);
    }
  });
});

/** As JavaScript would give it. */
function wrongly(server: object): Directory {
  return Object.assign({ ...directory }, server);
}

describe('an open device', async () => {
  const alice = await Encryption.open(options());
  const key = await alice.keys.generate();
  const { keys, cards } = alice;

  test.each<[string, string, () => Promise<unknown>]>([
    ['on', 'keyChange', () => call(alice.on, 'keyChange', () => undefined)],
    ['on', 'a function', () => call(alice.on, 'keyChanged')],
    ['on', 'undefined', () => call(alice.on)],
    ['on', '__proto__', () => call(alice.on, '__proto__', () => undefined)],
    ['off', 'keyChange', () => call(alice.off, 'keyChange', () => undefined)],
    ['acknowledge', 'cardIds', () => call(alice.acknowledge, 'bob')],
    ['acknowledge', 'cardIds', () => call(alice.acknowledge, 'bob', 'x')],
    ['acknowledge', 'card id', () => call(alice.acknowledge, 'bob', [5])],
    ['acknowledge', 'identity', () => call(alice.acknowledge)],
    ['recipients', 'sid', () => call(alice.recipients)],
    ['wrapClient', 'Twilio', () => call(alice.wrapClient)],
    ['keys.generate', 'options', () => call(keys.generate, null)],
    ['keys.generate', 'postQuantum', () => call(keys.generate, { postQuantum: 'yes' })],
    ['keys.load', 'password', () => call(keys.load, 'x')],
    ['keys.load', 'password', () => call(keys.load, 'x', null)],
    ['keys.import', 'exported', () => call(keys.import)],
    ['keys.import', 'password', () => call(keys.import, 'x')],
    ['key.save', 'password', () => call(key.save, 'x')],
    ['key.save', 'password', () => call(key.save, 'x', '\ud800')],
    ['key.save', 'options', () => call(key.save, 'x', 'p', 'password')],
    ['key.save', 'current', () => call(key.save, 'x', 'p', { current: 'q' })],
    ['key.save', 'currentPassword', () => call(key.save, 'x', 'p', { currentPassword: 5 })],
    ['key.export', 'password', () => call(key.export)],
    ['key.export', 'options', () => call(key.export, 'p', 'password')],
    ['cards.create', 'identity', () => call(cards.create)],
    ['cards.create', 'key', () => call(cards.create, 'alice')],
    ['cards.create', 'fields', () => call(cards.create, 'alice', key, null)],
    ['cards.create', 'fields', () => call(cards.create, 'alice', key, 'role')],
    ['cards.create', 'fields', () => call(cards.create, 'alice', key, { role: 5 })],
    ['cards.import', 'card', () => call(cards.import)],
    ['cards.find', 'identities', () => call(cards.find, 5)],
    ['cards.find', 'identities', () => call(cards.find, ['bob', null])],
    ['cards.get', 'card id', () => call(cards.get)],
    ['signThenEncrypt', 'text', () => call(key.signThenEncrypt, { a: 1 }, [])],
    ['decryptThenVerify', 'card', () => call(key.decryptThenVerify, 'x')],
  ])('%s names what is wrong: %s', async (_what, named, calling) => {
    await expectNamed(calling(), named);
  });

  test('says nothing of passwords', async () => {
    const { message } = await failureOf(call(key.save, 'x', 'p', 'hunter2'));
    expect(message).not.toContain('hunter2');
  });
});

describe('deriveAuthSecret', () => {
  const ORIGIN = 'https://chat.example';

  test('names what is wrong', async () => {
    await expectNamed(call(deriveAuthSecret, 5, 'alice', ORIGIN), 'password');
    await expectNamed(call(deriveAuthSecret, 'p\udc00', 'alice', ORIGIN), 'password');
    await expectNamed(call(deriveAuthSecret, 'p', 'alice'), 'origin');
    await expectNamed(call(deriveAuthSecret, 'p', undefined, ORIGIN), 'identity');
  });

  test.each([
    'https://chat.example/',
    'https://Chat.example',
    'https://chat.example:443',
    'https://chat.example/path',
    'https://user@chat.example',
    'chat.example',
    'data:x',
    'null',
    '',
  ])('does not take %j for an origin: it would be another salt', async (origin) => {
    await expectNamed(deriveAuthSecret('p', 'alice', origin), 'origin');
  });
});

test('an error of another copy of the package is one', async () => {
  const url = new URL('../../src/errors.ts?copy', import.meta.url);
  const other: unknown = await import(/* @vite-ignore */ url.href);
  const copy = Reflect.get(Object(other), 'EncryptionError') as new (...a: string[]) => unknown;
  const error = new copy('CLOSED', 'Closed.');
  expect(isEncryptionError(error)).toBe(true);
  expect(isEncryptionError(error, 'CLOSED')).toBe(true);
  expect(isEncryptionError(error, 'UNAUTHORIZED')).toBe(false);
  for (const none of [new Error('x'), { code: 'CLOSED' }, null, undefined, 'CLOSED', 5]) {
    expect(isEncryptionError(none)).toBe(false);
  }
});

test('after close() nothing is wrapped any more', async () => {
  const alice = await Encryption.open(options());
  alice.close();
  expect(await codeOf(call(alice.wrapClient, {}))).toBe('CLOSED');
  expect(await codeOf(call(alice.wrapChannel, {}))).toBe('CLOSED');
});

test('nobody swaps the methods of what was opened', async () => {
  const alice = await Encryption.open(options());
  const key = await alice.keys.generate();
  const card = await alice.cards.create('alice', key, { role: 'nurse' });
  const [signature] = card.signatures;
  for (const one of [
    alice,
    alice.keys,
    alice.cards,
    key,
    card,
    card.fields,
    card.signatures,
    signature,
    card.signingKey,
  ]) {
    expect(Object.isFrozen(one)).toBe(true);
  }
});

test('a card that nobody has is CARD_NOT_FOUND', async () => {
  const { cards } = await Encryption.open(options());
  expect(await codeOf(cards.get('ab'.repeat(32)))).toBe('CARD_NOT_FOUND');
});

test('the server may be a URL object', async () => {
  const fetching = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('offline'));
  const server = new URL('https://chat.example/tokens');
  const authorize = (): Promise<string> => Promise.resolve('token');
  const opening = Encryption.open({ ...options(), server, authorize });
  expect(await codeOf(opening)).toBe('DIRECTORY_UNREACHABLE');
  expect(String(fetching.mock.calls[0]?.[0])).toBe('https://chat.example/tokens/v1/cards');
  fetching.mockRestore();
});
