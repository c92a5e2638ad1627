/** What an application gets wrong, in JavaScript too: a typed error that names it, and no other. */
import { describe, expect, test, vi } from 'vitest';
import {
  deriveAuthSecret,
  Encryption,
  isEncryptionError,
  MemoryKeyStore,
  type EncryptionOptions,
} from 'twilio-chat-encryption';
import { codeOf, failureOf } from '../outcomes.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

const directory = new LoggedDirectory();

function options(changes: Partial<EncryptionOptions> = {}): EncryptionOptions {
  const keyStore = new MemoryKeyStore();
  return { ...PINS, identity: 'alice', server: directory, keyStore, password: 'p', ...changes };
}

/** Calls a method as JavaScript would, whatever the arguments are. What it throws is a rejection. */
async function call(target: object, name: string, ...given: unknown[]): Promise<unknown> {
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== 'function') throw new Error(`There is no ${name}.`);
  // Awaited here, so that it is a call like any other.
  const result: unknown = await Reflect.apply(method, target, given);
  return result;
}

/** Expects `INVALID_ARGUMENT` with a text that has this in it. */
async function expectNamed(promise: Promise<unknown>, named: string): Promise<void> {
  const { code, message } = await failureOf(promise);
  expect({ code, message }).toEqual({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(named) as string,
  });
}

const open = (...given: unknown[]): Promise<unknown> => call(Encryption, 'open', ...given);

describe('Encryption.open', () => {
  test.each([[], [null], ['alice'], [5], [[]]])(
    'of %j says that it takes options',
    async (...given) => {
      await expectNamed(open(...given), 'Encryption.open');
    },
  );

  const KEY_STORES: unknown[] = [null, {}, 5, 'folder', { get: () => Promise.resolve(null) }];
  test.each<[keyof EncryptionOptions, readonly unknown[]]>([
    ['identity', [undefined, null, 5, {}]],
    [
      'appKey',
      [undefined, null, 5, {}, [], [5], '', 'short', [PINS.appKey, 'short'], [PINS.appKey, null]],
    ],
    ['logKey', [undefined, null, 5, {}, [], '', 'short', [PINS.logKey, 'short']]],
    ['earlierLogKeys', [null, 5, {}, 'short', ['short'], [PINS.logKey, null]]],
    ['password', [undefined, null, 5, {}, '\ud800']],
    ['server', [undefined, null, 5, {}, { publish: () => Promise.resolve('') }, '', 'no url']],
    ['keyStore', KEY_STORES],
    ['device', [null, 5, '', 'x'.repeat(257), '\ud800', 'a\u202eb']],
    ['postQuantum', [null, 'yes', 1, {}]],
    ['metadata', [null, 'clea', true, {}]],
    ['recipients', ['nobody', 5, null]],
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

  test.each(['get', 'update', 'lock', 'clear'])('with a keyStore without %s', async (method) => {
    const keyStore = Object.assign(new MemoryKeyStore(), { [method]: undefined });
    await expectNamed(open({ ...options(), keyStore }), 'keyStore');
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
  test.each<[string, string, () => unknown]>([
    ['keyStore.update', 'update', () => undefined],
    ['keyStore.get', 'get', () => 'text'],
    ['keyStore.get', 'get', () => undefined],
    ['keyStore.lock', 'lock', () => undefined],
  ])('that does not do what %s has to do is told', async (named, name, answer) => {
    const keyStore = Object.assign(new MemoryKeyStore(), {
      [name]: () => Promise.resolve(answer()),
    });
    await expectNamed(Encryption.open(options({ keyStore })), named);
  });
});

describe('a directory of the application’s own', () => {
  test.each([
    ['publish', null],
    ['lookup', {}],
    ['lookup', { head: 'x', lookup: {}, consistency: [5] }],
    ['get', 5],
  ])('whose %s answers something else is told', async (name, answer) => {
    const server = Object.assign(new LoggedDirectory(), { [name]: () => Promise.resolve(answer) });
    const { code, message } = await failureOf(
      (async () => {
        const { cards } = await Encryption.open(options({ server }));
        await cards.find('bob');
        await cards.get('ab'.repeat(32));
      })(),
    );
    expect(code).toBe('DIRECTORY_REFUSED');
    expect(message).toContain(name);
  });
});

describe('an open device', async () => {
  const alice = await Encryption.open(options());
  const key = await alice.keys.generate();
  const { keys, cards } = alice;

  test.each<[string, string, () => Promise<unknown>]>([
    ['on', 'keyChange', () => call(alice, 'on', 'keyChange', () => undefined)],
    ['on', 'a function', () => call(alice, 'on', 'keyChanged')],
    ['on', 'undefined', () => call(alice, 'on')],
    ['on', '__proto__', () => call(alice, 'on', '__proto__', () => undefined)],
    ['off', 'keyChange', () => call(alice, 'off', 'keyChange', () => undefined)],
    ['acknowledge', 'cardIds', () => call(alice, 'acknowledge', 'bob')],
    ['acknowledge', 'cardIds', () => call(alice, 'acknowledge', 'bob', 'x')],
    ['acknowledge', 'card id', () => call(alice, 'acknowledge', 'bob', [5])],
    ['acknowledge', 'identity', () => call(alice, 'acknowledge')],
    ['recipients', 'sid', () => call(alice, 'recipients')],
    ['wrapClient', 'Twilio', () => call(alice, 'wrapClient')],
    ['keys.generate', 'options', () => call(keys, 'generate', null)],
    ['keys.generate', 'postQuantum', () => call(keys, 'generate', { postQuantum: 'yes' })],
    ['keys.load', 'password', () => call(keys, 'load', 'x')],
    ['keys.load', 'password', () => call(keys, 'load', 'x', null)],
    ['keys.import', 'exported', () => call(keys, 'import')],
    ['keys.import', 'password', () => call(keys, 'import', 'x')],
    ['key.save', 'password', () => call(key, 'save', 'x')],
    ['key.save', 'password', () => call(key, 'save', 'x', '\ud800')],
    ['key.save', 'options', () => call(key, 'save', 'x', 'p', 'password')],
    ['key.save', 'current', () => call(key, 'save', 'x', 'p', { current: 'q' })],
    ['key.save', 'currentPassword', () => call(key, 'save', 'x', 'p', { currentPassword: 5 })],
    ['key.export', 'password', () => call(key, 'export')],
    ['key.export', 'options', () => call(key, 'export', 'p', 'password')],
    ['cards.create', 'identity', () => call(cards, 'create')],
    ['cards.create', 'key', () => call(cards, 'create', 'alice')],
    ['cards.create', 'fields', () => call(cards, 'create', 'alice', key, null)],
    ['cards.create', 'fields', () => call(cards, 'create', 'alice', key, 'role')],
    ['cards.create', 'fields', () => call(cards, 'create', 'alice', key, { role: 5 })],
    ['cards.import', 'card', () => call(cards, 'import')],
    ['cards.find', 'identities', () => call(cards, 'find', 5)],
    ['cards.find', 'identities', () => call(cards, 'find', ['bob', null])],
    ['cards.get', 'card id', () => call(cards, 'get')],
    ['signThenEncrypt', 'text', () => call(key, 'signThenEncrypt', { a: 1 }, [])],
    ['decryptThenVerify', 'card', () => call(key, 'decryptThenVerify', 'x')],
  ])('%s names what is wrong: %s', async (_what, named, calling) => {
    await expectNamed(calling(), named);
  });

  test('says nothing of passwords', async () => {
    const { message } = await failureOf(call(key, 'save', 'x', 'p', 'hunter2'));
    expect(message).not.toContain('hunter2');
  });
});

describe('deriveAuthSecret', () => {
  const ORIGIN = 'https://chat.example';

  test('names what is wrong', async () => {
    await expectNamed(
      call({ deriveAuthSecret }, 'deriveAuthSecret', 5, 'alice', ORIGIN),
      'password',
    );
    await expectNamed(
      call({ deriveAuthSecret }, 'deriveAuthSecret', 'p\udc00', 'alice', ORIGIN),
      'password',
    );
    await expectNamed(call({ deriveAuthSecret }, 'deriveAuthSecret', 'p', 'alice'), 'origin');
    await expectNamed(
      call({ deriveAuthSecret }, 'deriveAuthSecret', 'p', undefined, ORIGIN),
      'identity',
    );
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
  expect(await codeOf(call(alice, 'wrapClient', {}))).toBe('CLOSED');
  expect(await codeOf(call(alice, 'wrapChannel', {}))).toBe('CLOSED');
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
  expect(fetching.mock.calls[0]?.[0]).toEqual(new URL('https://chat.example/tokens/v1/cards'));
  fetching.mockRestore();
});
