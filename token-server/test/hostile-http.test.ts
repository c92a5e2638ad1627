/**
 * What no client sends: framing that two readers take for two things, paths that look like others,
 * headers that come twice. Each is refused, and nothing is stored.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { OPERATIONS } from './documented.ts';
import { EXAMPLES, startEverything, type Everything, type Person, settle } from './everything.ts';
import { openSocket } from './raw-socket.ts';

interface Raw {
  /** Of every answer on the connection. */
  readonly statuses: readonly number[];
  readonly received: string;
}

/** Sends text as it is, byte for byte of Latin-1, and waits for the other end to close. */
async function sendRaw({ url }: Everything, text: string): Promise<Raw> {
  const { socket, received, closed } = await openSocket(Number(new URL(url).port));
  socket.end(text, 'latin1');
  await closed;
  const statuses = [...received().matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) =>
    Number(status),
  );
  return { statuses, received: received() };
}

/** A request that would delete somebody's backup. */
function deletion({ session, etag }: Person): string {
  return lines(
    'DELETE /v1/backup HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${session}`,
    `If-Match: ${etag}`,
    'Connection: close',
  );
}

function lines(...all: readonly string[]): string {
  return `${all.join('\r\n')}\r\n\r\n`;
}

const HEAD = ['POST /v1/sessions HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];

/** How long the body is, said in a way that one reader takes for this and another for that. */
const FRAMINGS: Readonly<Record<string, readonly string[]>> = {
  'a length and chunks': ['Content-Length: 5', 'Transfer-Encoding: chunked'],
  'chunks and a length': ['Transfer-Encoding: chunked', 'Content-Length: 5'],
  'two lengths': ['Content-Length: 5', 'Content-Length: 500'],
  'one length twice': ['Content-Length: 5', 'Content-Length: 5'],
  'a list of lengths': ['Content-Length: 5, 5'],
  'a length with a sign': ['Content-Length: +5'],
  'a negative length': ['Content-Length: -5'],
  'a length in hexadecimal': ['Content-Length: 0x5'],
  'a length with a space in it': ['Content-Length: 5 5'],
  'a length beyond all numbers': ['Content-Length: 18446744073709551621'],
  'no length': ['Content-Length:'],
  'a space before the colon': ['Transfer-Encoding : chunked'],
  'a folded line': ['Transfer-Encoding:', ' chunked'],
  'another coding': ['Transfer-Encoding: xchunked'],
  'chunks inside of something': ['Transfer-Encoding: chunked, identity'],
  'chunks with a tab': ['Transfer-Encoding: \u000bchunked'],
  'codings twice': ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
  'a quoted coding': ['Transfer-Encoding: "chunked"'],
  'a NUL in a header': ['Content-Length: 5', 'X-A: a\u0000b'],
  'a carriage return in a header': ['Content-Length: 5', 'X-A: a\rTransfer-Encoding: chunked'],
  'a line feed alone': ['Content-Length: 5\nTransfer-Encoding: chunked'],
  'a header without a colon': ['Content-Length: 5', 'Transfer-Encoding'],
  'a header without a name': ['Content-Length: 5', ': chunked'],
};

describe('a second request in the body of the first is not carried out, with', () => {
  test.each(Object.entries(FRAMINGS))('%s', async (_, framing) => {
    const world = await startEverything();
    const before = world.rows();
    const { statuses } = await sendRaw(
      world,
      `${lines(...HEAD, ...framing)}0\r\n\r\n${deletion(world.alice)}`,
    );
    expect(statuses).toEqual([400]);
    expect(world.rows()).toEqual(before);
    expect(world.log()).not.toContain('/v1/backup","status":204');
  });

  test.each([
    ['a size that is none', 'Z\r\n'],
    ['a negative size', '-1\r\n'],
    ['a size beyond all numbers', `${'F'.repeat(20)}\r\n`],
    ['a size in front of a line feed alone', '0\n\n'],
    ['a chunk that is longer than it says', '1\r\n{}\r\n0\r\n\r\n'],
    ['an endless extension', `1;${'x'.repeat(20_000)}\r\n`],
  ])('chunks of %s', async (_, chunks) => {
    const world = await startEverything();
    const before = world.rows();
    const head = lines(...HEAD, 'Transfer-Encoding: chunked');
    const { statuses } = await sendRaw(world, `${head}${chunks}${deletion(world.alice)}`);
    expect(statuses.every((status) => status >= 400 && status < 500)).toBe(true);
    expect(world.rows()).toEqual(before);
  });

  test('this being how it would be carried out', async () => {
    const world = await startEverything();
    const { statuses } = await sendRaw(world, deletion(world.alice));
    expect(statuses).toEqual([204]);
  });
});

describe('no request at all:', () => {
  test.each([
    ['HTTP/1.1 without a host', 'GET /v1/app HTTP/1.1\r\n\r\n'],
    ['a version that there is not', 'GET /v1/app HTTP/9.9\r\nHost: localhost\r\n\r\n'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method that there is not', 'GETT /v1/app HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a NUL in the path', 'GET /v1/app\u0000 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a space in the path', 'GET /v1/app x HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a path without a slash', 'GET v1/app HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['bytes of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(17_000)}`],
    ['half of a header', 'GET /v1/app HTTP/1.1\r\nHost: loc'],
    ['a tunnel', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['an expectation', 'GET /v1/app HTTP/1.1\r\nHost: localhost\r\nExpect: money\r\n\r\n'],
  ])('%s', async (_, text) => {
    const world = await startEverything();
    const { statuses, received } = await sendRaw(world, text);
    expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
    expect(received).not.toContain('appKey');
    expect(world.log()).not.toContain('"level":50');
  });
});

describe('half of a request changes nothing', () => {
  const changing = OPERATIONS.filter(({ requestBody }) => requestBody);

  test.each(changing)('$name', async ({ name, method }) => {
    const world = await startEverything();
    const before = world.rows();
    const {
      path,
      session = '',
      body,
      raw,
      headers = {},
    } = (await EXAMPLES[name]?.(world)) ?? { path: '' };
    const text = raw ?? JSON.stringify(body);
    const head = lines(
      `${method} ${path} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/json',
      `Authorization: Bearer ${session}`,
      `Content-Length: ${text.length}`,
      ...Object.entries(headers).map(([key, value]) => `${key}: ${value}`),
    );
    const { statuses } = await sendRaw(world, head + text.slice(0, -1));
    expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
    expect(world.rows()).toEqual(before);
    expect(world.log()).not.toContain('"level":50');
  });
});

describe('a path that looks like another', () => {
  const marked = randomBytes(24).toString('base64url');
  const disguises: readonly ((path: string) => string)[] = [
    (path) => `/.${path}`,
    (path) => `/x/..${path}`,
    (path) => `/%2e%2e${path}`,
    (path) => path.replace('/v1', '/v1/.'),
    (path) => path.replace('/v1', '/v1/x/..'),
    (path) => path.replace('/v1', '/v1/%2e%2e/v1'),
    (path) => path.replace('/v1', '/v1%2f'),
    (path) => path.replace('/v1/', '/v1%2f'),
    (path) => path.replace('/v1/', '/v1\\'),
    (path) => path.replace('/v1/', '//v1//'),
    (path) => `/${path}`,
    (path) => `${path}/`,
    (path) => `${path}//`,
    (path) => `${path}%00`,
    (path) => `${path}%00.json`,
    (path) => `${path}%0d%0aX-A:%20b`,
    (path) => `${path};${marked}`,
    (path) => `${path}/.`,
    (path) => `${path}/..`,
    (path) => `${path}%`,
    (path) => `${path}%ff`,
    (path) => `${path}%c0%af`,
    (path) => `${path}\u00e9`,
    (path) => `${path}#${marked}`,
    (path) => path.toUpperCase(),
    (path) => path.replace('v1', '%76%31'),
    (path) => `http://localhost${path}`,
    (path) => `http://alice:${marked}@evil.example${path}`,
    (path) => `HTTP://[::1]${path}`,
    (path) => `file://${path}`,
    (path) => `*${path}`,
  ];

  test('does nothing without a session, whatever it is', async () => {
    const world = await startEverything();
    const before = world.rows();
    for (const { name, method } of OPERATIONS) {
      const sent = (await EXAMPLES[name]?.(world)) ?? { path: '' };
      if (sent.session === undefined) continue;
      for (const disguise of disguises) {
        const head = [`${method} ${disguise(sent.path)} HTTP/1.1`, 'Host: localhost'];
        const body = JSON.stringify(sent.body ?? {});
        const { statuses, received } = await sendRaw(
          world,
          lines(
            ...head,
            'Connection: close',
            'Content-Type: application/json',
            `Content-Length: ${body.length}`,
            'X-Original-URL: /v1/app',
            'X-HTTP-Method-Override: GET',
          ) + body,
        );
        expect([
          head[0],
          statuses.every((status) => [400, 401, 404, 405].includes(status)),
        ]).toEqual([head[0], true]);
        expect(received).not.toContain(marked);
      }
    }
    expect(world.rows()).toEqual(before);
    expect(world.log()).not.toContain(marked);
    expect(world.log()).not.toContain('"level":50');
  });
});

describe('a header that comes twice', () => {
  test('does not choose who somebody is', async () => {
    const world = await startEverything();
    const mallory = await settle(world, 'mallory');
    for (const [one, other] of [
      [mallory, world.alice],
      [world.alice, mallory],
      [mallory, mallory],
    ] as const) {
      const { statuses, received } = await sendRaw(
        world,
        lines(
          'GET /v1/twilio-token HTTP/1.1',
          'Host: localhost',
          `Authorization: Bearer ${one.session}`,
          `authorization: Bearer ${other.session}`,
          'Connection: close',
        ),
      );
      expect(statuses).toEqual([401]);
      expect(received).toContain('UNAUTHENTICATED');
    }
  });

  test('does not choose what a body is, or what is replaced', async () => {
    const world = await startEverything();
    const { alice } = world;
    const before = world.rows();
    const body = JSON.stringify({ backup: randomBytes(32).toString('base64url') });
    const good = [
      'Host: localhost',
      `Authorization: Bearer ${alice.session}`,
      `Content-Length: ${body.length}`,
      'Connection: close',
      'Content-Type: application/json',
      `If-Match: ${alice.etag}`,
    ];
    for (const [more, code] of [
      ['Content-Type: application/json', 'UNSUPPORTED_MEDIA_TYPE'],
      ['Content-Type: text/plain', 'UNSUPPORTED_MEDIA_TYPE'],
      [`If-Match: ${alice.etag}`, 'INVALID_REQUEST'],
      ['If-Match: "another"', 'INVALID_REQUEST'],
      ['If-None-Match: *', 'INVALID_REQUEST'],
    ] as const) {
      const text = lines('PUT /v1/backup HTTP/1.1', ...good, more) + body;
      const { received } = await sendRaw(world, text);
      expect([more, /"code":"(\w+)"/.exec(received)?.[1]]).toEqual([more, code]);
    }
    expect(world.rows()).toEqual(before);
    const { statuses } = await sendRaw(world, lines('PUT /v1/backup HTTP/1.1', ...good) + body);
    expect(statuses).toEqual([200]);
  });
});
