/** What strangers wrote does not command the terminal of whoever looks at it. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import Database from 'better-sqlite3';
import { importCard } from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { run } from './command-line.ts';
import { afterTest, makeCard, secret, start, temporaryFolder } from './support.ts';

// Clears the screen, twice; sets the title; another direction; a line of its own; an invisible letter.
const COMMANDS = '\u001b[2J\u009b2J\u001b]0;all is well\u0007\u202e\u2028\u{e0041}\u007f';
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

test('cards and their log are printed with all of it escaped', async () => {
  const server = await start();
  const session = await server.session('alice');
  const fields = { [COMMANDS]: COMMANDS };
  const card = await makeCard('alice', { fields });
  const sent = await server.request('POST', '/v1/cards', { session, body: { card } });
  expect(sent.status).toBe(201);
  const { id } = await importCard(card);
  const folder = temporaryFolder();
  const shown = await Promise.all([
    run(folder, ['cards', 'show', id], server.env),
    run(folder, ['cards', 'show', id, '--json'], server.env),
  ]);
  expect(shown.map(({ code }) => code)).toEqual([0, 0]);
  for (const { stdout } of shown) expect(stdout).not.toMatch(UNPRINTABLE);
  expect(z.object({ fields: z.unknown() }).parse(JSON.parse(shown[1].stdout))).toEqual({ fields });

  // Nobody gets such a name through the server: somebody changed the database.
  const database = new Database((server.env['DATABASE_URL'] ?? '').slice('sqlite:'.length));
  database.prepare('update cards set identity = ?').run(COMMANDS);
  database.prepare('update log_entries set identity = ?').run(COMMANDS);
  database.close();
  const listed = await Promise.all(
    [
      ['cards', 'list'],
      ['cards', 'list', '--json'],
      ['log', 'verify'],
    ].map((args) => run(folder, args, server.env)),
  );
  expect(listed.map(({ code }) => code)).toEqual([0, 0, 1]);
  for (const { stdout, stderr } of listed) {
    expect(stdout).toContain('\\u001b[2J\\u009b2J');
    expect(stdout + stderr).not.toMatch(UNPRINTABLE);
  }
});

test.each<[what: string, answer: RequestListener, says: string]>([
  [
    'quoted',
    (_req, res) => res.end(`${COMMANDS} all is as it has to be.`),
    'The answer of the server is no JSON.\n',
  ],
  [
    'waited for without end',
    (_req, res) => res.writeHead(429).end('{"code":"RATE_LIMITED"}'),
    'The server refused: 429 RATE_LIMITED\n',
  ],
])('a server whose log is verified is not %s', async (_, answer, says) => {
  const hostile = createServer(answer);
  hostile.listen(0, '127.0.0.1');
  afterTest(() => {
    hostile.close();
  });
  await once(hostile, 'listening');
  const { port } = z.object({ port: z.int() }).parse(hostile.address());
  const server = await start();
  const { json } = await server.request('GET', '/v1/app');
  const key = z.string().parse(json['logKey']);
  const args = ['log', 'verify', '--server', `http://127.0.0.1:${port}`, '--log-key', key];
  const { code, stdout, stderr } = await run(temporaryFolder(), args, { SESSION: secret() });
  expect([code, stdout, stderr]).toEqual([1, '', says]);
});
