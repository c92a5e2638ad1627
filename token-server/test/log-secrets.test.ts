/** Everything that a server writes in its whole life, searched for what it was told in confidence. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createRevocation, exportCard, parseIdentity } from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { launch } from './command-line.ts';
import { makeDevice } from './keeper.ts';
import { openSocket } from './raw-socket.ts';
import { environment, requester, secret, temporaryFolder } from './support.ts';

const Columns = z.array(z.object({ text: z.string() }));

test('no secret is in anything that a server ever writes', async () => {
  const folder = temporaryFolder();
  const metricsToken = secret();
  const env: Record<string, string> = {
    ...environment(),
    PORT: '0',
    DATABASE_URL: 'sqlite:./server.db',
    // With the word of every client on its address and its requests' names.
    TRUST_PROXY: '1',
    METRICS_TOKEN: metricsToken,
  };
  const { child, output, exit } = launch(folder, ['serve'], env);
  const find = () => /"port":(\d+)/.exec(output.stdout)?.[1];
  await expect.poll(find).toBeDefined();
  const port = Number(find());
  const request = requester(`http://localhost:${port}`);

  const authSecret = secret();
  const newAuthSecret = secret();
  const wrongSecret = secret();
  const backup = randomBytes(600).toString('base64url');
  const stray = secret();
  const sessions: string[] = [];

  async function signIn(body: object): Promise<string> {
    const { json } = await request('POST', '/v1/sessions', { body });
    const token = z.string().parse(json['token']);
    sessions.push(token);
    return token;
  }

  // All that somebody does.
  const alice = { identity: 'alice', authSecret };
  expect((await request('POST', '/v1/accounts', { body: alice })).status).toBe(201);
  let session = await signIn(alice);
  const issued = await request('GET', '/v1/twilio-token', { session });
  const twilioToken = z.string().parse(issued.json['token']);
  const device = await makeDevice(parseIdentity('alice'));
  const card = exportCard(device.card);
  expect((await request('POST', '/v1/cards', { session, body: { card } })).status).toBe(201);
  await request('POST', '/v1/cards/search', { session, body: { identities: ['alice', 'bob'] } });
  await request('GET', '/v1/log/map?identity=alice&size=1', { session });
  const first = { 'if-none-match': '*' };
  const stored = await request('PUT', '/v1/backup', { session, body: { backup }, headers: first });
  expect(stored.status).toBe(200);
  expect((await request('GET', '/v1/backup', { session })).json).toEqual({ backup });
  const change = { authSecret, newAuthSecret };
  const changed = await request('POST', '/v1/password', { session, body: change });
  const ended = session;
  session = z.string().parse(changed.json['token']);
  sessions.push(session);
  const content = { cardId: device.card.id, reason: 'retired', revokedAt: Date.now() } as const;
  const signed = { ...content, signer: device.card.id };
  const revocation = await createRevocation(signed, device.key);
  const revoked = await request('POST', `/v1/cards/${device.card.id}/revocation`, {
    session,
    body: { revocation },
  });
  expect(revoked.status).toBe(200);
  const headers = { authorization: `Bearer ${metricsToken}` };
  expect((await request('GET', '/metrics', { headers })).status).toBe(200);

  // All that goes wrong.
  const raw = JSON.stringify({ identity: 'alice', authSecret: newAuthSecret });
  await request('GET', '/v1/backup', { session: ended });
  await request('POST', '/v1/sessions', { body: { identity: 'alice', authSecret: wrongSecret } });
  await request('POST', '/v1/sessions', { raw: raw.slice(0, -2) });
  await request('POST', '/v1/sessions', { raw: `${raw}}` });
  await request('POST', '/v1/sessions', { raw, headers: { 'content-type': 'text/plain' } });
  await request('POST', '/v1/sessions', { body: { ...alice, [stray]: stray } });
  await request('POST', '/v1/accounts', { body: { identity: '\ud800', authSecret } });
  await request('POST', '/v1/password', { session, body: { authSecret, newAuthSecret: stray } });
  await request('PUT', '/v1/backup', { session, body: { backup }, headers: { 'if-match': stray } });
  await request('PUT', '/v1/backup', { session, raw: JSON.stringify({ backup }).slice(0, 500) });
  await request('POST', '/v1/cards', { session, body: { card: backup } });
  await request('POST', '/v1/accounts', {
    raw: JSON.stringify({ authSecret, x: 'x'.repeat(99_999) }),
  });

  // All the places where a confused client puts things.
  await request('POST', `/v1/sessions?authSecret=${authSecret}&token=${session}`, { raw });
  await request('GET', `/v1/log/map?identity=${stray}&size=${session}`, { session });
  await request('GET', `/v1/cards/${session}`, { session });
  await request('GET', `/v1/cards/${authSecret}`, { session });
  await request('GET', `/${session}/${stray}/${twilioToken}`, { session: session.slice(1) });
  await request('GET', `/metrics?token=${metricsToken}`);
  await request('GET', '/metrics', { headers: { authorization: `Bearer ${stray}` } });
  for (const name of [
    'x-request-id',
    'cookie',
    'referer',
    'user-agent',
    'x-forwarded-for',
    'origin',
  ]) {
    for (const value of [session, authSecret, Buffer.from(stray, 'base64url').toString('hex')]) {
      await request('GET', '/v1/app', { headers: { [name]: value } });
    }
  }
  const basic = Buffer.from(`alice:${stray}`).toString('base64');
  await request('GET', '/v1/backup', { headers: { authorization: `Basic ${basic}` } });
  for (const text of [
    `GET /${stray} HTTP/9.9\r\n\r\n`,
    `${stray}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ${`${stray} `.repeat(2000)}\r\n\r\n`,
    `POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n${raw}`,
  ]) {
    const { socket, closed } = await openSocket(port);
    socket.write(text);
    await closed;
  }

  // And with a database that fails in the middle of it.
  const database = new Database(join(folder, 'server.db'));
  const hashes = Columns.parse(database.prepare('select secret_hash as text from accounts').all());
  database.exec('begin immediate');
  const late = await request('POST', '/v1/password', {
    session,
    body: { authSecret: newAuthSecret, newAuthSecret: stray },
  });
  expect(late.status).toBe(503);
  database.exec('rollback; drop table backups');
  expect((await request('GET', '/v1/backup', { session })).status).toBe(500);
  const failed = await request('PUT', '/v1/backup', { session, body: { backup }, headers: first });
  expect(failed.status).toBe(500);
  database.exec('alter table accounts rename column secret_hash to gone');
  expect(
    (await request('POST', '/v1/accounts', { body: { identity: 'eve', authSecret: stray } }))
      .status,
  ).toBe(500);
  database.close();

  child.kill('SIGTERM');
  const { code, stdout, stderr } = await exit;
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('SQLITE_BUSY');
  expect(stdout).toContain('no such table: backups');
  expect(stdout.split('\n').length).toBeGreaterThan(50);

  const seeds = [authSecret, newAuthSecret, wrongSecret, stray, metricsToken];
  const secrets = [
    ...seeds,
    ...seeds.map((each) => Buffer.from(each, 'base64url').toString('hex')),
    ...seeds.map((each) => Buffer.from(each, 'base64url').toString('base64')),
    ...[...sessions, twilioToken].flatMap((token) => token.split('.').slice(1)),
    ...hashes.flatMap(({ text }) => text.split('$').slice(-2)),
    backup,
    basic,
    card,
    revocation,
    env['TWILIO_API_SECRET'] ?? '',
    env['APP_PRIVATE_KEY'] ?? '',
    env['LOG_PRIVATE_KEY'] ?? '',
    env['SESSION_SECRET'] ?? '',
  ];
  for (const each of secrets) {
    expect(each.length).toBeGreaterThan(16);
    // The first characters too: what is cut short is a part of it all the same.
    expect(stdout.includes(each.slice(0, 12)), each).toBe(false);
  }
});
