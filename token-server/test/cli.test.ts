import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { base64url, curves } from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { signingKeyOf } from '../src/domain/signer.ts';
import { readConfig } from '../src/index.ts';
import { launch, run } from './command-line.ts';
import { environment, requester, secret, temporaryFolder } from './support.ts';

async function until<T>(look: () => T | null | undefined | Promise<T | null>): Promise<T> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline;) {
    const found = await look();
    if (found !== null && found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('It did not happen within 15 s');
}

describe('init', () => {
  test('writes fresh keys for nobody but the owner, and says which to pin', async () => {
    const folder = temporaryFolder();
    const { code, stdout } = await run(folder, ['init']);
    expect(code).toBe(0);
    const file = join(folder, '.env');
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const written = z.record(z.string(), z.string()).parse(parseEnv(readFileSync(file, 'utf8')));
    const { TWILIO_ACCOUNT_SID, TWILIO_API_KEY, TWILIO_API_SECRET, TWILIO_CHAT_SERVICE_SID } =
      environment();
    const config = readConfig({
      ...written,
      TWILIO_ACCOUNT_SID,
      TWILIO_API_KEY,
      TWILIO_API_SECRET,
      TWILIO_CHAT_SERVICE_SID,
    });
    const { publicKey } = await signingKeyOf(config.appKey);
    expect(stdout).toContain(`appKey: ${base64url.encode(publicKey)}`);
    for (const name of ['APP_PRIVATE_KEY', 'LOG_PRIVATE_KEY', 'SESSION_SECRET']) {
      expect(stdout).not.toContain(written[name]);
    }
  });

  test('never overwrites', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'my.env');
    writeFileSync(file, 'PORT=1\n');
    const { code, stderr } = await run(folder, ['init', '--env-file', 'my.env']);
    expect(code).toBe(1);
    expect(stderr).toContain('never overwrites');
    expect(readFileSync(file, 'utf8')).toBe('PORT=1\n');
  });
});

test('keygen prints a private key in environment form, and its public key', async () => {
  const folder = temporaryFolder();
  const [one, other] = await Promise.all([run(folder, ['keygen']), run(folder, ['keygen'])]);
  expect(one.stdout).not.toBe(other.stdout);
  const seed = base64url.decode(parseEnv(one.stdout)['APP_PRIVATE_KEY'] ?? '');
  const { publicKey } = await (await curves()).importSigningKey(seed ?? new Uint8Array());
  expect(one.stdout).toContain(`clients to pin as appKey: ${base64url.encode(publicKey)}\n`);
  const ofLog = await run(folder, ['keygen', 'log']);
  expect(ofLog.stdout).toMatch(
    /^# Public key, for clients to pin as logKey: [\w-]{43}\nLOG_PRIVATE_KEY=[\w-]{43}\n$/,
  );
  expect((await run(folder, ['keygen', 'other'])).code).toBe(2);
});

test('migrate makes the database and needs no other variable', async () => {
  const folder = temporaryFolder();
  const env = { DATABASE_URL: 'sqlite:./here/my.db' };
  const first = await run(folder, ['migrate'], env);
  expect([first.code, first.stdout]).toEqual([
    0,
    'applied 0001-accounts-and-cards\napplied 0002-log\napplied 0003-backups\napplied 0004-rate-limits\nThe database is up to date.\n',
  ]);
  expect(existsSync(join(folder, 'here', 'my.db'))).toBe(true);
  const second = await run(folder, ['migrate'], env);
  expect([second.code, second.stdout]).toEqual([0, 'The database is up to date.\n']);
});

test.each([
  ['cards', 'list'],
  ['log', 'verify'],
])(
  '%s %s finds nothing right about a database that is not there, and makes none',
  async (...args) => {
    const folder = temporaryFolder();
    const env = { ...environment(), DATABASE_URL: 'sqlite:./elsewhere.db' };
    const { code, stdout, stderr } = await run(folder, args, env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe('There is no database ./elsewhere.db here. See DATABASE_URL.\n');
    expect(existsSync(join(folder, 'elsewhere.db'))).toBe(false);
  },
);

test('wrong usage prints the help and exits with 2', async () => {
  const folder = temporaryFolder();
  const wrong = [
    [],
    ['destroy'],
    ['serve', 'now'],
    ['--nonsense'],
    ['constructor'],
    ['cards'],
    ['cards', 'show'],
    ['log', 'verify', 'now'],
    ['serve', '--json'],
  ];
  for (const { code, stdout, stderr } of await Promise.all(wrong.map((a) => run(folder, a)))) {
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage:');
  }
  const help = await run(folder, ['--help']);
  expect([help.code, help.stderr]).toEqual([0, '']);
  expect(help.stdout).toContain('Usage:');
});

describe('serve', () => {
  test('does not start with a wrong environment, and says all that is wrong but no value', async () => {
    const env = { ...environment(), TWILIO_API_KEY: 'SKsecretsecret', PORT: 'many' };
    const { code, stdout, stderr } = await run(temporaryFolder(), ['serve'], env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('TWILIO_API_KEY: expected SK and 32 hex digits');
    expect(stderr).toContain('PORT: expected a port number');
    expect(stderr).not.toContain('secretsecret');
    expect(stderr).not.toContain('    at ');
  });

  test('says when its port is taken', async () => {
    const env = { ...environment(), PORT: '0' };
    const first = launch(temporaryFolder(), ['serve'], env);
    const port = String(await portOf(first.output));
    const second = await run(temporaryFolder(), ['serve'], { ...env, PORT: port });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('EADDRINUSE');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'after %s answers the request in flight, takes no other and exits with 0',
    async (signal) => {
      const folder = temporaryFolder();
      const env = { ...environment(), PORT: '0', DATABASE_URL: 'sqlite:./data/s.db' };
      const text = Object.entries(env)
        .map((variable) => variable.join('='))
        .join('\n');
      writeFileSync(join(folder, '.env'), text);
      const { child, output, exit } = launch(folder, ['serve']);
      const port = await portOf(output);
      const request = requester(`http://localhost:${port}`);
      expect((await request('GET', '/healthz')).status).toBe(200);

      const body = JSON.stringify({ identity: 'alice', authSecret: secret() });
      const socket = connect(port, 'localhost');
      const answer = await beginPost(socket, '/v1/accounts', body);
      child.kill(signal);
      await until(() => (output.stdout.includes('"stopping"') ? true : null));
      // It says so before it stops listening.
      const refused = await until(() => request('GET', '/healthz').then(() => null, String));
      expect(refused).toContain('fetch failed');
      socket.write(body);
      await until(() => (answer().includes('HTTP/1.1 201 Created') ? true : null));
      const { code, stdout, stderr } = await exit;
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('"stopped"');
      expect(existsSync(join(folder, 'data', 's.db-wal'))).toBe(false);
    },
  );
});

function portOf(output: { readonly stdout: string }): Promise<number> {
  return until(() => {
    const [, port] = /"port":(\d+)/.exec(output.stdout) ?? [];
    return port === undefined ? null : Number(port);
  });
}

/** Sends the head of a request and waits until the server says that it wants the body. */
async function beginPost(socket: Socket, path: string, body: string): Promise<() => string> {
  let received = '';
  socket.on('data', (chunk) => (received += String(chunk)));
  socket.write(
    [
      `POST ${path} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Expect: 100-continue',
      '\r\n',
    ].join('\r\n'),
  );
  await until(() => (received.includes('100 Continue') ? true : null));
  return () => received;
}
