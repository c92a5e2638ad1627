import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { httpDirectory } from '../../src/client/directory.ts';
import { parseCardId, parseIdentity } from 'twilio-chat-encryption/protocol';
import { codeOf, failureOf } from '../outcomes.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const ID = parseCardId('ab'.repeat(32));
const BOB = parseIdentity('bob');

let answer: Answer;
let requests: {
  method: string | undefined;
  url: string | undefined;
  token: string;
  body: string;
}[];
let issued: number;

const server = createServer((request, response) => {
  void text(request).then((body) => {
    const { method, url } = request;
    requests.push({ method, url, token: request.headers.authorization ?? '', body });
    answer(request, response);
  });
});
const base = await listening(server);

function listening(starting: Server): Promise<string> {
  return new Promise((resolve) => {
    starting.listen(0, '127.0.0.1', () => {
      const address = starting.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      resolve(`http://127.0.0.1:${port}`);
    });
  });
}

const json =
  (status: number, value: unknown): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };

/** Accepts only the tokens that were issued from the given number on. */
const acceptingFrom =
  (first: number): Answer =>
  (request, response) => {
    const used = Number(request.headers.authorization?.replace('Bearer token ', ''));
    json(used >= first ? 200 : 401, { card: 'card' })(request, response);
  };

function authorize(): Promise<string> {
  issued += 1;
  return Promise.resolve(`token ${issued}`);
}

const directory = (): ReturnType<typeof httpDirectory> => httpDirectory(base, authorize);

beforeEach(() => {
  requests = [];
  issued = 0;
  answer = json(200, { card: 'card' });
});

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('requests', () => {
  test('publish and get cards, and ask the log', async () => {
    const cards = directory();
    expect(await cards.publish('mine')).toBe('card');
    expect(await cards.get(ID)).toBe('card');
    const found = { head: 'head', lookup: { found: [] }, consistency: ['proof'] };
    answer = json(200, { ...found, more: 1 });
    expect(await cards.lookup([BOB], 7)).toEqual(found);
    expect(await cards.lookupAt(parseIdentity('b&b=?'), 5)).toEqual({ found: [] });
    expect(await cards.consistency(5, 7)).toEqual(['proof']);
    const token = 'Bearer token 1';
    expect(requests).toEqual([
      { method: 'POST', url: '/v1/cards', token, body: '{"card":"mine"}' },
      { method: 'GET', url: `/v1/cards/${ID}`, token, body: '' },
      { method: 'POST', url: '/v1/cards/search', token, body: '{"identities":["bob"],"from":7}' },
      { method: 'GET', url: '/v1/log/map?identity=b%26b%3D%3F&size=5', token, body: '' },
      { method: 'GET', url: '/v1/log/consistency?from=5&to=7', token, body: '' },
    ]);
  });

  test.each(['', '/'])('go below the path that the server is mounted at (…%j)', async (end) => {
    await httpDirectory(`${base}/chat/tokens${end}`, authorize).get(ID);
    expect(requests[0]?.url).toBe(`/chat/tokens/v1/cards/${ID}`);
  });
});

describe('the session token', () => {
  test('is asked for once by calls at once', async () => {
    const cards = directory();
    await Promise.all([cards.get(ID), cards.get(ID), cards.publish('c')]);
    await cards.get(ID);
    expect(issued).toBe(1);
  });

  test('is asked for again when it is refused, and the call repeated', async () => {
    const cards = directory();
    await cards.get(ID);
    answer = acceptingFrom(2);
    expect(await cards.publish('mine')).toBe('card');
    expect(issued).toBe(2);
    expect(requests.map(({ token }) => token)).toEqual([
      'Bearer token 1',
      'Bearer token 1',
      'Bearer token 2',
    ]);
    expect(requests[2]?.body).toBe('{"card":"mine"}');
  });

  test('is asked for again once by calls at once whose token was refused', async () => {
    const cards = directory();
    await cards.get(ID);
    const waiting: (() => void)[] = [];
    answer = (request, response) => {
      // The refusals arrive one after the other, each when the one before was dealt with.
      const reply = (): void => {
        acceptingFrom(2)(request, response);
      };
      if (request.headers.authorization !== 'Bearer token 1') reply();
      else setTimeout(reply, 60 * waiting.push(reply));
    };
    await Promise.all([cards.get(ID), cards.get(ID), cards.get(ID)]);
    expect(issued).toBe(2);
  });

  test('that is refused twice is UNAUTHORIZED', async () => {
    answer = acceptingFrom(100);
    expect(await codeOf(directory().get(ID))).toBe('UNAUTHORIZED');
    expect(requests).toHaveLength(2);
  });

  test.each<[string, () => Promise<string>]>([
    ['rejects', () => Promise.reject(new Error('signed out'))],
    [
      'throws',
      () => {
        throw new Error('signed out');
      },
    ],
  ])(
    'is DIRECTORY_UNREACHABLE when authorize %s, and asked for the next time',
    async (_what, fails) => {
      let failing = true;
      const cards = httpDirectory(base, () => (failing ? fails() : authorize()));
      expect(await codeOf(cards.get(ID))).toBe('DIRECTORY_UNREACHABLE');
      failing = false;
      expect(await cards.get(ID)).toBe('card');
    },
  );
});

describe('what authorize gives', () => {
  /** The errors behind an error, and what they say. */
  function texts(error: unknown): string[] {
    if (!(error instanceof Error)) return [];
    return [error.message, error.stack ?? '', ...texts(error.cause)];
  }

  test.each(['s3c\nret', 's3cret\r\nx: y', 's3…cret', ' s3cret', 's3cret ', '', 's3\0cret'])(
    'is UNAUTHORIZED when no header can hold it (%j), and is quoted nowhere',
    async (token) => {
      const error = await failureOf(httpDirectory(base, () => Promise.resolve(token)).get(ID));
      expect(error.code).toBe('UNAUTHORIZED');
      expect(error.cause).toBeUndefined();
      expect(texts(error).join()).not.toMatch(/s3|cret/);
      expect(requests).toEqual([]);
    },
  );

  test.each([undefined, null, 5, {}])('is UNAUTHORIZED when it is %j', async (given) => {
    // As JavaScript would give it.
    const giving = new Proxy(authorize, { apply: () => Promise.resolve(given) });
    const error = await failureOf(httpDirectory(base, giving).get(ID));
    expect(error.code).toBe('UNAUTHORIZED');
    expect(error.message).toContain('authorize() must give the session token');
    expect(requests).toEqual([]);
  });

  test('is waited for as long as for an answer, and asked for the next time', async () => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const shorter = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(50));
    let silent = true;
    const never = new Promise<string>(() => undefined);
    const cards = httpDirectory(base, () => (silent ? never : authorize()));
    expect(await codeOf(cards.get(ID))).toBe('DIRECTORY_UNREACHABLE');
    expect(shorter).toHaveBeenCalledWith(15_000);
    silent = false;
    shorter.mockRestore();
    expect(await cards.get(ID)).toBe('card');
  });
});

describe('answers', () => {
  test('404 is no card only when the server says so; otherwise it is the wrong server', async () => {
    answer = json(404, { code: 'CARD_NOT_FOUND' });
    expect(await directory().get(ID)).toBeNull();
    answer = json(404, { code: 'not-found' });
    expect(await codeOf(directory().get(ID))).toBe('DIRECTORY_REFUSED');
    expect(await codeOf(directory().publish('c'))).toBe('DIRECTORY_REFUSED');
    expect(await codeOf(directory().lookup([BOB], 0))).toBe('DIRECTORY_REFUSED');
  });

  test.each([500, 502, 503, 429])('%i is DIRECTORY_UNREACHABLE', async (status) => {
    answer = json(status, {});
    expect(await codeOf(directory().publish('c'))).toBe('DIRECTORY_UNREACHABLE');
  });

  test('another 4xx is DIRECTORY_REFUSED, and says what the server said', async () => {
    answer = json(409, { code: 'CARD_LIMIT', detail: '16 cards are enough.' });
    const failure = await failureOf(directory().publish('c'));
    expect(failure.code).toBe('DIRECTORY_REFUSED');
    expect(failure.message).toContain('status 409). CARD_LIMIT: 16 cards are enough.');
  });

  test.each([{}, null, 'x', { code: 1 }, []])(
    '4xx with the problem %j is refused',
    async (what) => {
      answer = json(400, what);
      expect(await codeOf(directory().publish('c'))).toBe('DIRECTORY_REFUSED');
    },
  );

  test('of HTML, as a sign-in page of a hotel gives, are DIRECTORY_UNREACHABLE', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
    };
    expect(await codeOf(directory().get(ID))).toBe('DIRECTORY_UNREACHABLE');
    expect(await codeOf(directory().publish('c'))).toBe('DIRECTORY_UNREACHABLE');
    expect((await failureOf(directory().get(ID))).message).toContain('server URL');
  });

  test('of HTML with 404, as another web server gives, say to check the URL', async () => {
    answer = (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<!doctype html>');
    };
    const failure = await failureOf(directory().get(ID));
    expect(failure.code).toBe('DIRECTORY_REFUSED');
    expect(failure.message).toContain('server URL');
  });

  test('that are not JSON are quoted nowhere: a token may be in them', async () => {
    answer = (_request, response) => response.writeHead(200).end('{"token":"s3cret');
    const failure = await failureOf(directory().get(ID));
    expect(failure.code).toBe('DIRECTORY_UNREACHABLE');
    expect(failure.cause).toBeUndefined();
  });

  test.each([{}, [], 'card', { card: 1 }, { head: 'x' }, { head: 'x', consistency: 'x' }])(
    'of JSON that is something else (%j) are DIRECTORY_REFUSED',
    async (what) => {
      answer = json(200, what);
      expect(await codeOf(directory().get(ID))).toBe('DIRECTORY_REFUSED');
      expect(await codeOf(directory().lookup([BOB], 0))).toBe('DIRECTORY_REFUSED');
      expect(await codeOf(directory().consistency(0, 1))).toBe('DIRECTORY_REFUSED');
    },
  );

  test('redirects are not followed: the token goes nowhere else', async () => {
    answer = (request, response) => {
      if (request.url === '/elsewhere') json(200, { card: 'planted' })(request, response);
      else response.writeHead(307, { location: '/elsewhere' }).end();
    };
    expect(await codeOf(directory().get(ID))).toBe('DIRECTORY_UNREACHABLE');
    expect(requests.map(({ url }) => url)).not.toContain('/elsewhere');
  });
});

describe('no answer is DIRECTORY_UNREACHABLE', () => {
  test('when nobody listens', async () => {
    const gone = createServer();
    const url = await listening(gone);
    await new Promise((resolve) => gone.close(resolve));
    expect(await codeOf(httpDirectory(url, authorize).get(ID))).toBe('DIRECTORY_UNREACHABLE');
  });

  test('when the connection breaks, before or within the answer', async () => {
    answer = (request) => request.socket.destroy();
    expect(await codeOf(directory().get(ID))).toBe('DIRECTORY_UNREACHABLE');
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"card":');
      setTimeout(() => response.destroy(), 20);
    };
    expect(await codeOf(directory().get(ID))).toBe('DIRECTORY_UNREACHABLE');
  });

  test('when it takes longer than 15 seconds, or never ends', async () => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const shorter = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(50));
    answer = () => undefined;
    expect(await codeOf(directory().get(ID))).toBe('DIRECTORY_UNREACHABLE');
    answer = (_request, response) => {
      response.writeHead(200).write('{"card":');
    };
    expect(await codeOf(directory().get(ID))).toBe('DIRECTORY_UNREACHABLE');
    expect(shorter).toHaveBeenCalledWith(15_000);
  });
});

describe('the server’s URL', () => {
  test.each([
    'https://chat.example.com',
    'https://chat.example.com/tokens',
    'http://localhost:3000',
    'http://127.0.0.1',
    'http://[::1]:8080/',
  ])('may be %s', (url) => {
    expect(() => httpDirectory(url, authorize)).not.toThrow();
  });

  test.each([
    'http://chat.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost@example.com',
    'ftp://localhost',
    'ws://localhost',
    'file:///localhost',
    'javascript:alert(1)',
    'https://user@chat.example.com',
    'https://user:password@chat.example.com',
    'https://chat.example.com/?tenant=1',
    'https://chat.example.com/tokens?',
    'https://chat.example.com/#tokens',
    'chat.example.com',
    '/tokens',
    '',
  ])('may not be %j', (url) => {
    expect(() => httpDirectory(url, authorize)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
