import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openWatched, sendHalf } from './slow-request.ts';
import { signUp, start, type Harness, type Reply } from './support.ts';

const PATH = '/v1/backup';
const FIRST = { 'if-none-match': '*' };

function blob(length = 100): string {
  return randomBytes(length).toString('base64url');
}

function put(
  { request }: Harness,
  session: string | undefined,
  backup: string,
  headers: Record<string, string>,
): Promise<Reply> {
  return request('PUT', PATH, { session, body: { backup }, headers });
}

function etagOf({ headers }: Reply): string {
  return z.string().parse(headers.get('etag'));
}

function codeOf({ status, json }: Reply): unknown[] {
  return [status, json['code']];
}

/** A server on which alice has a backup. */
async function withBackup() {
  const server = await start();
  const session = await server.session('alice');
  const backup = blob();
  const stored = await put(server, session, backup, FIRST);
  return { server, session, backup, etag: etagOf(stored) };
}

describe('a backup', () => {
  test('is stored once, and comes back as it was', async () => {
    const server = await start();
    const session = await server.session('alice');
    const backup = blob();
    const stored = await put(server, session, backup, FIRST);
    expect([stored.status, stored.json]).toEqual([200, {}]);
    const found = await server.request('GET', PATH, { session });
    expect([found.status, found.json]).toEqual([200, { backup }]);
    expect(etagOf(found)).toBe(etagOf(stored));
    expect(found.headers.get('cache-control')).toBe('no-store');
  });

  test('has an etag that tells its owner whether it is what they sent', async () => {
    const { backup, etag } = await withBackup();
    const bytes = Buffer.from(backup, 'base64url');
    expect(etag).toBe(`"${createHash('sha256').update(bytes).digest('base64url')}"`);
  });

  test('that there is not is not found', async () => {
    const { request, session } = await start();
    const reply = await request('GET', PATH, { session: await session('alice') });
    expect(codeOf(reply)).toEqual([404, 'BACKUP_NOT_FOUND']);
    expect(reply.headers.has('etag')).toBe(false);
  });

  test('is replaced by who knows it', async () => {
    const { server, session, etag } = await withBackup();
    const backup = blob();
    const replaced = await put(server, session, backup, { 'if-match': etag });
    expect([replaced.status, replaced.json]).toEqual([200, {}]);
    expect(etagOf(replaced)).not.toBe(etag);
    const found = await server.request('GET', PATH, { session });
    expect([found.json, etagOf(found)]).toEqual([{ backup }, etagOf(replaced)]);
  });

  test('may be replaced by itself, and after it came back by who knew it before', async () => {
    const { server, session, backup, etag } = await withBackup();
    const same = await put(server, session, backup, { 'if-match': etag });
    expect([same.status, etagOf(same)]).toEqual([200, etag]);
    const other = etagOf(await put(server, session, blob(), { 'if-match': etag }));
    await put(server, session, backup, { 'if-match': other });
    expect((await put(server, session, blob(), { 'if-match': etag })).status).toBe(200);
  });

  test('is deleted by who knows it, and then there may be a first one again', async () => {
    const { server, session, etag } = await withBackup();
    const headers = { 'if-match': etag };
    const deleted = await server.request('DELETE', PATH, { session, headers });
    expect([deleted.status, deleted.text]).toEqual([204, '']);
    expect((await server.request('GET', PATH, { session })).status).toBe(404);
    const again = await server.request('DELETE', PATH, { session, headers });
    expect(codeOf(again)).toEqual([404, 'BACKUP_NOT_FOUND']);
    expect((await put(server, session, blob(), FIRST)).status).toBe(200);
  });

  test("is its owner's alone", async () => {
    const { server, session, backup, etag } = await withBackup();
    const bob = await server.session('bob');
    expect((await server.request('GET', PATH, { session: bob })).status).toBe(404);
    const headers = { 'if-match': etag };
    expect((await put(server, bob, blob(), headers)).status).toBe(412);
    expect((await server.request('DELETE', PATH, { session: bob, headers })).status).toBe(404);
    expect((await put(server, bob, blob(), FIRST)).status).toBe(200);
    const found = await server.request('GET', PATH, { session });
    expect(found.json).toEqual({ backup });
  });

  test('has no other name than that of the session', async () => {
    const { server, session } = await withBackup();
    const query = `${PATH}?identity=bob`;
    const body = { backup: blob(), identity: 'bob' };
    const reply = await server.request('PUT', PATH, { session, body, headers: FIRST });
    expect(codeOf(reply)).toEqual([400, 'INVALID_REQUEST']);
    const named = await put(server, await server.session('bob'), blob(), FIRST);
    const found = await server.request('GET', query, { session });
    expect(etagOf(found)).not.toBe(etagOf(named));
  });
});

const OTHER = `"${'A'.repeat(43)}"`;

describe('a write that is refused changes nothing:', () => {
  type Send = (etag: string) => Record<string, string>;
  const refused: [string, Send, number, string][] = [
    ['no condition', () => ({}), 428, 'PRECONDITION_REQUIRED'],
    ['a first one, when there is one', () => FIRST, 412, 'PRECONDITION_FAILED'],
    ['another etag', () => ({ 'if-match': OTHER }), 412, 'PRECONDITION_FAILED'],
    ['no etag of ours', () => ({ 'if-match': '""' }), 412, 'PRECONDITION_FAILED'],
    ['the etag, weak', (etag) => ({ 'if-match': `W/${etag}` }), 412, 'PRECONDITION_FAILED'],
    [
      'the etag, half',
      (etag) => ({ 'if-match': `${etag.slice(0, 9)}"` }),
      412,
      'PRECONDITION_FAILED',
    ],
    [
      'the etag without quotes',
      (etag) => ({ 'if-match': etag.slice(1, -1) }),
      400,
      'INVALID_REQUEST',
    ],
    ['two etags', (etag) => ({ 'if-match': `${OTHER}, ${etag}` }), 400, 'INVALID_REQUEST'],
    ['any etag', () => ({ 'if-match': '*' }), 400, 'INVALID_REQUEST'],
    ['nothing in particular', () => ({ 'if-match': '' }), 400, 'INVALID_REQUEST'],
    ['none but the etag', (etag) => ({ 'if-none-match': etag }), 400, 'INVALID_REQUEST'],
    ['both conditions', (etag) => ({ ...FIRST, 'if-match': etag }), 400, 'INVALID_REQUEST'],
  ];

  test.each(refused)('%s', async (_, headersFor, status, code) => {
    const { server, session, etag } = await withBackup();
    const before = server.rows();
    const headers = headersFor(etag);
    const reply = await put(server, session, blob(), headers);
    expect(codeOf(reply)).toEqual([status, code]);
    expect(reply.headers.has('etag')).toBe(false);
    const deletion = await server.request('DELETE', PATH, { session, headers });
    // Nothing is deleted on the condition that it is not there.
    expect(codeOf(deletion)).toEqual(headers === FIRST ? [400, 'INVALID_REQUEST'] : [status, code]);
    expect(server.rows()).toEqual(before);
  });

  test('the replacement of one that there is not', async () => {
    const server = await start();
    const session = await server.session('alice');
    const before = server.rows();
    const reply = await put(server, session, blob(), { 'if-match': OTHER });
    expect(codeOf(reply)).toEqual([412, 'PRECONDITION_FAILED']);
    expect(server.rows()).toEqual(before);
  });

  test.each([
    ['nothing', { backup: '' }],
    ['no text', { backup: 7 }],
    ['padding', { backup: 'AA==' }],
    ['base64', { backup: 'a+/b' }],
    ['a space', { backup: 'AA AA' }],
    ['half a byte', { backup: 'A' }],
    ['stray bits', { backup: 'AB' }],
    ['no member', {}],
    ['one member too many', { backup: 'AAAA', etag: OTHER }],
    ['an array', ['AAAA']],
  ])('%s for a backup', async (_, body) => {
    const { server, session, etag } = await withBackup();
    const before = server.rows();
    const headers = { 'if-match': etag };
    const reply = await server.request('PUT', PATH, { session, body, headers });
    expect(codeOf(reply)).toEqual([400, 'INVALID_REQUEST']);
    expect(server.rows()).toEqual(before);
  });

  test('one byte too many, or many', async () => {
    const { server, session, etag } = await withBackup();
    const before = server.rows();
    for (const length of [256 * 1024 + 1, 512 * 1024]) {
      const reply = await put(server, session, blob(length), { 'if-match': etag });
      expect(codeOf(reply)).toEqual([413, 'BODY_TOO_LARGE']);
    }
    expect(server.rows()).toEqual(before);
    const longest = blob(256 * 1024);
    expect((await put(server, session, longest, { 'if-match': etag })).status).toBe(200);
    expect((await server.request('GET', PATH, { session })).json).toEqual({ backup: longest });
  });
});

test('of many first backups at once, one is stored', async () => {
  const server = await start();
  const session = await server.session('alice');
  const backups = Array.from({ length: 10 }, () => blob());
  const replies = await Promise.all(backups.map((each) => put(server, session, each, FIRST)));
  expect(replies.map(({ status }) => status).toSorted()).toEqual([
    200,
    ...Array<number>(9).fill(412),
  ]);
  const stored = backups[replies.findIndex(({ status }) => status === 200)];
  expect((await server.request('GET', PATH, { session })).json).toEqual({ backup: stored });
});

test('who is signed out while a backup is on its way does not store it', async () => {
  const { store, reads } = await openWatched();
  const server = await start({}, { store });
  const { session, authSecret } = await signUp(server, 'alice');
  const before = reads();
  const body = { backup: blob() };
  const finish = sendHalf(server.url, { method: 'PUT', path: PATH, session, body, headers: FIRST });
  // The session was good when the server looked.
  await expect.poll(reads).toBe(before + 1);
  const change = { authSecret, newAuthSecret: authSecret };
  const changed = await server.request('POST', '/v1/password', { session, body: change });
  expect(changed.status).toBe(200);
  expect(await finish()).toBe(401);
  expect(await store.findBackup('alice')).toBeNull();
});

test('a page of a listed origin can read and send etags', async () => {
  const server = await start({ CORS_ORIGINS: 'https://a.example' });
  const headers = { origin: 'https://a.example', 'access-control-request-method': 'PUT' };
  const preflight = await server.request('OPTIONS', PATH, { headers });
  expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
  expect(preflight.headers.get('access-control-allow-headers')).toContain('If-Match');
  expect(preflight.headers.get('access-control-allow-headers')).toContain('If-None-Match');
  expect(preflight.headers.get('access-control-expose-headers')).toContain('ETag');
});

test('the log has no backups', async () => {
  const { server, session, backup } = await withBackup();
  await server.request('PUT', PATH, { session, raw: `{"backup":"${backup}"`, headers: FIRST });
  await put(server, session, backup, FIRST);
  await server.request('GET', `${PATH}?backup=${backup}`, { session });
  expect(server.log()).not.toContain(backup.slice(0, 16));
});

test('a backup is stored at a limited rate, and reading does not count for it', async () => {
  const server = await start(
    {},
    { rateLimits: { changeByIdentity: { points: 3, seconds: 3600 } } },
  );
  const session = await server.session('alice');
  const writes = Array.from({ length: 5 }, () => put(server, session, blob(), FIRST));
  const statuses = (await Promise.all(writes)).map(({ status }) => status).toSorted();
  expect(statuses).toEqual([200, 412, 412, 429, 429]);
  expect((await server.request('GET', PATH, { session })).status).toBe(200);
});
