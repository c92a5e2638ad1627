/** Keys that are kept elsewhere: a server that asks for each signature, and believes none. */
import {
  base64url,
  curves,
  importCard,
  lookupFromJson,
  checkApproval,
  decodeHead,
  verifyHead,
  verifyLookup,
  parseIdentity,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { signingKeyOf } from '../src/domain/signer.ts';
import { ConfigError, createTokenServer, readConfig, type Signer } from '../src/index.ts';
import { environment, makeCard, secret, seed, signUp, start, type Harness } from './support.ts';

const backEnd = await curves();
const NO_KEYS = { APP_PRIVATE_KEY: '', LOG_PRIVATE_KEY: '' };

type Sign = (message: Uint8Array) => Promise<Uint8Array>;

/** What a KMS is, as far as the server sees it: it can be made to do anything else. */
class Kms implements Signer {
  readonly publicKey: Uint8Array;
  /** How often it was asked. */
  calls = 0;
  answer: Sign;
  readonly #key: SigningKey;

  private constructor(key: SigningKey) {
    this.#key = key;
    this.publicKey = key.publicKey;
    this.answer = this.right;
  }

  static async create(): Promise<Kms> {
    return new Kms(await backEnd.importSigningKey(seed()));
  }

  readonly sign: Sign = (message) => {
    this.calls += 1;
    return this.answer(message);
  };

  readonly right: Sign = (message) => this.#key.sign(Uint8Array.from(message));

  verifying() {
    return backEnd.importVerifyingKey(Uint8Array.from(this.publicKey));
  }
}

/** A server without any private key. */
async function keyless() {
  const [app, log] = [await Kms.create(), await Kms.create()];
  const server = await start({ ...NO_KEYS }, {}, { app, log });
  return { app, log, server };
}

async function publish(server: Harness, session: string, card: string) {
  return server.request('POST', '/v1/cards', { session, body: { card } });
}

function search(server: Harness, session: string) {
  return server.request('POST', '/v1/cards/search', { session, body: { identities: ['alice'] } });
}

/** Everything but the right answer. */
const WRONG: readonly (readonly [string, (kms: Kms) => Promise<Sign>])[] = [
  ['fails', () => Promise.resolve(() => Promise.reject(new Error('access denied for key/123')))],
  [
    'throws at once',
    () =>
      Promise.resolve(() => {
        throw new TypeError('no connection');
      }),
  ],
  ['answers nothing', () => Promise.resolve(() => Promise.resolve(new Uint8Array()))],
  ['answers zeros', () => Promise.resolve(() => Promise.resolve(new Uint8Array(64)))],
  [
    'answers less than a signature',
    ({ right }) => Promise.resolve(async (message) => (await right(message)).subarray(0, 63)),
  ],
  [
    'answers more than a signature',
    ({ right }) => Promise.resolve(async (message) => Uint8Array.of(...(await right(message)), 0)),
  ],
  ['signs with another key', async () => (await Kms.create()).right],
  ['signs other bytes', ({ right }) => Promise.resolve((message) => right(message.subarray(1)))],
  [
    'signs a hash of the bytes',
    ({ right }) =>
      Promise.resolve(async (message) =>
        right(new Uint8Array(await crypto.subtle.digest('SHA-512', Uint8Array.from(message)))),
      ),
  ],
  [
    'changes the bytes that it was given, and signs these',
    ({ right }) =>
      Promise.resolve((message) => {
        message.fill(0);
        return right(message);
      }),
  ],
];

test('a server with signers has no private key, and clients see no difference', async () => {
  const { app, log, server } = await keyless();
  const { session } = await signUp(server, 'alice');
  const { status, json } = await publish(server, session, await makeCard('alice'));
  expect(status).toBe(201);
  await checkApproval(await importCard(String(json['card'])), [await app.verifying()]);
  const answer = (await search(server, session)).json;
  const head = decodeHead(base64url.decode(String(answer['head'])) ?? new Uint8Array());
  const lookup = lookupFromJson(answer['lookup']);
  if (!head || !lookup) throw new Error('It is no answer.');
  const logKey = await log.verifying();
  expect(await verifyHead(logKey, head)).toBe(true);
  const identities = [parseIdentity('alice')];
  const context = { logKey, appKeys: [await app.verifying()], head, identities };
  expect((await verifyLookup(lookup, context)).get(parseIdentity('alice'))?.cards).toHaveLength(1);
  const info = await server.request('GET', '/v1/app');
  expect(info.json).toMatchObject({
    appKey: base64url.encode(Uint8Array.from(app.publicKey)),
    logKey: base64url.encode(Uint8Array.from(log.publicKey)),
  });
  expect([app.calls, log.calls]).toEqual([1, 1]);
});

describe.each(WRONG)('a signer that %s', (_, wrong) => {
  test('approves nothing: 503, nothing is stored, and the next try is taken', async () => {
    const { app, server } = await keyless();
    const { session } = await signUp(server, 'alice');
    const card = await makeCard('alice');
    const before = server.rows();
    app.answer = await wrong(app);
    const { status, json, headers, text } = await publish(server, session, card);
    expect([status, json['code'], headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '5']);
    // The cause is the operator's to know.
    expect(text).not.toMatch(/key\/123|connection/);
    expect(server.rows()).toEqual(before);
    app.answer = app.right;
    const again = await publish(server, session, card);
    expect([again.status, again.json['logIndex']]).toEqual([201, 0]);
  });

  test('deletes no account, and signs no head', async () => {
    const { app, log, server } = await keyless();
    const { session, authSecret } = await signUp(server, 'alice');
    await publish(server, session, await makeCard('alice'));
    const before = server.rows();
    app.answer = await wrong(app);
    const deletion = { session, body: { authSecret } };
    expect((await server.request('DELETE', '/v1/account', deletion)).status).toBe(503);
    expect(server.rows()).toEqual(before);
    log.answer = await wrong(log);
    for (const answer of [
      await search(server, session),
      await server.request('GET', '/v1/log/head', { session }),
    ]) {
      expect([answer.status, answer.json['code']]).toEqual([503, 'UNAVAILABLE']);
    }
    [app.answer, log.answer] = [app.right, log.right];
    expect((await search(server, session)).status).toBe(200);
    expect((await server.request('DELETE', '/v1/account', deletion)).status).toBe(204);
  });
});

describe('a signer that takes its time', () => {
  /** Signs only when it is told to; others may have signatures meanwhile. */
  function hold(kms: Kms) {
    const asked = Promise.withResolvers<undefined>();
    const released = Promise.withResolvers<undefined>();
    kms.answer = async (message) => {
      kms.answer = kms.right;
      asked.resolve(undefined);
      await released.promise;
      return kms.right(message);
    };
    const release = (): void => {
      released.resolve(undefined);
    };
    return { asked: asked.promise, release };
  }

  test('for a card holds up nobody who writes', async () => {
    const { app, server } = await keyless();
    const [alice, bob] = [await signUp(server, 'alice'), await signUp(server, 'bob')];
    const { asked, release } = hold(app);
    const slow = publish(server, alice.session, await makeCard('alice'));
    await asked;
    const quick = await publish(server, bob.session, await makeCard('bob'));
    expect([quick.status, quick.json['logIndex']]).toEqual([201, 0]);
    release();
    expect([(await slow).status, (await slow).json['logIndex']]).toEqual([201, 1]);
  });

  test('for the deletion of an account neither, and ends the cards that came meanwhile', async () => {
    const { app, server } = await keyless();
    const { session, authSecret } = await signUp(server, 'alice');
    await publish(server, session, await makeCard('alice'));
    const { asked, release } = hold(app);
    const deletion = server.request('DELETE', '/v1/account', { session, body: { authSecret } });
    await asked;
    expect((await publish(server, session, await makeCard('alice'))).status).toBe(201);
    release();
    expect((await deletion).status).toBe(204);
    const { session: other } = await signUp(server, 'bob');
    const { json } = await search(server, other);
    // Two cards, and a revocation of each.
    expect(lookupFromJson(json['lookup'])?.found[0]?.entries).toHaveLength(4);
  });

  test('for a deletion is not asked for ever: devices that publish all the time are told of', async () => {
    const { app, server } = await keyless();
    const { session, authSecret } = await signUp(server, 'alice');
    await publish(server, session, await makeCard('alice'));
    let isPublishing = false;
    app.answer = async (message) => {
      if (!isPublishing) {
        isPublishing = true;
        await publish(server, session, await makeCard('alice'));
        isPublishing = false;
      }
      return app.right(message);
    };
    const deletion = { session, body: { authSecret } };
    const { status, json } = await server.request('DELETE', '/v1/account', deletion);
    expect([status, json['code']]).toEqual([503, 'UNAVAILABLE']);
    app.answer = app.right;
    expect((await server.request('DELETE', '/v1/account', deletion)).status).toBe(204);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('is waited for ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const kms = await Kms.create();
    kms.answer = () => new Promise(() => undefined);
    const signing = (await signingKeyOf(kms)).sign(Uint8Array.of(1));
    const outcome = vi.fn();
    signing.catch(outcome);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(outcome).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome).toHaveBeenCalledWith(expect.objectContaining({ code: 'UNAVAILABLE' }));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the configuration of a signer', () => {
  const env = { ...environment(), ...NO_KEYS };

  function problemsOf(run: () => unknown): readonly string[] {
    try {
      run();
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map(({ name, expected }) => `${name}: ${expected}`);
    }
  }

  test('takes the place of the key: one of the two, and not one signer for both', async () => {
    const [app, log] = [await Kms.create(), await Kms.create()];
    expect(problemsOf(() => readConfig(env, { app, log }))).toEqual([]);
    const keys = { APP_PRIVATE_KEY: secret(), LOG_PRIVATE_KEY: secret() };
    expect(problemsOf(() => readConfig({ ...env, ...keys }, { app }))).toEqual([
      'APP_PRIVATE_KEY: expected nothing: a signer has the key',
    ]);
    expect(problemsOf(() => readConfig(env, { log }))).toEqual([
      expect.stringMatching(/^APP_PRIVATE_KEY: expected an Ed25519 seed/),
    ]);
    expect(problemsOf(() => readConfig(env, { app, log: app }))).toEqual([
      'LOG_PRIVATE_KEY: expected another key than APP_PRIVATE_KEY',
    ]);
  });

  test('is refused when its public key is none', async () => {
    const log = await Kms.create();
    for (const publicKey of [new Uint8Array(31), new Uint8Array(32)]) {
      const app = { publicKey, sign: log.sign };
      await expect(createTokenServer(readConfig(env, { app, log }))).rejects.toMatchObject({
        code: 'INVALID_KEY',
      });
    }
  });
});
