/** The server of the demo without a browser: keys, ports, headers, who may look into the store. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Client } from 'twilio-chat';
import { clientOptions } from 'twilio-chat-emulator';
import { ConfigError } from 'twilio-chat-encryption-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startDemo, type Demo, type DemoOptions } from '../src/server/demo.ts';

const TWILIO = {
  TWILIO_ACCOUNT_SID: `AC${'a'.repeat(32)}`,
  TWILIO_API_KEY_SID: `SK${'b'.repeat(32)}`,
  TWILIO_API_SECRET: 'c'.repeat(32),
  TWILIO_SERVICE_SID: `IS${'d'.repeat(32)}`,
};

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'demo-test-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function start(options: DemoOptions = {}): Promise<Demo> {
  const demo = await startDemo({ port: 0, dataDir: join(temporaryFolder(), 'data'), ...options });
  onTestFinished(() => demo.close());
  return demo;
}

async function appKeyOf({ url }: Demo): Promise<string> {
  const answer: unknown = await (await fetch(`${url}/v1/app`)).json();
  return stringIn(answer, 'appKey');
}

function stringIn(answer: unknown, name: string): string {
  const entries = typeof answer === 'object' && answer !== null ? Object.entries(answer) : [];
  const value: unknown = new Map<string, unknown>(entries).get(name);
  if (typeof value !== 'string') throw new Error(`no ${name} in the answer`);
  return value;
}

/** Signs somebody up and in; gives the session. */
async function session({ url }: Demo, identity: string): Promise<string> {
  const authSecret = randomBytes(32).toString('base64url');
  const post = (path: string): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identity, authSecret }),
    });
  await post('/v1/accounts');
  return stringIn(await (await post('/v1/sessions')).json(), 'token');
}

/** A channel of somebody who is signed in, with one message in it; gives its sid. */
async function makeChannel({ url, emulator }: Demo, authorization: string): Promise<string> {
  const answer = await fetch(`${url}/v1/twilio-token`, { headers: { authorization } });
  const token = stringIn(await answer.json(), 'token');
  const client = new Client(token, clientOptions(url));
  await new Promise((resolve) => client.once('stateChanged', resolve));
  const channel = await client.createChannel({ isPrivate: true });
  await channel.join();
  await channel.getMembers();
  await client.shutdown();
  emulator?.tamper.inject(channel.sid, { author: 'Alice', body: 'e2e1.something' });
  return channel.sid;
}

describe('what is kept', () => {
  test('only its owner can read, and it outlives a restart', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const first = await startDemo({ port: 0, dataDir });
    const before = await appKeyOf(first);
    await first.close();
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, 'server.env')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'server.db')).mode & 0o777).toBe(0o600);

    const second = await start({ dataDir });
    expect(await appKeyOf(second)).toEqual(before);
  });
});

describe('the port', () => {
  test('gives way to the next one when it is busy and may, and is an error otherwise', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;

    await expect(start({ port })).rejects.toThrow(/EADDRINUSE/);
    const demo = await start({ port, portTries: 20 });
    expect(Number(new URL(demo.url).port)).toBeGreaterThan(port);
  });
});

describe('the page', () => {
  test('has its key pinned and runs nothing but its own files', async () => {
    const demo = await start();
    const response = await fetch(demo.url);
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]* src=)/);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none';script-src 'self';");
    expect(policy).toContain(";img-src 'self' blob:;");
    expect(policy).not.toMatch(/unsafe|data:|\*/);
    expect(policy).not.toContain('twilio');

    const script = /src="([^"]+\.js)"/.exec(html)?.[1] ?? '';
    const code = await (await fetch(new URL(script, demo.url))).text();
    expect(code).toContain(await appKeyOf(demo));
    // Asked from nobody: the page does not know that route.
    expect(code).not.toMatch(/\/v1\/app\b/);
  });
});

describe('a Twilio account', () => {
  test('is used when all its variables are set, under any of their names', async () => {
    const demo = await start({ environment: TWILIO });
    expect(demo.emulator).toBeNull();
    const { headers } = await fetch(demo.url);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain('wss://tsock.us1.twilio.com');
    // Where files are uploaded and read.
    expect(policy).toContain('https://mcs.us1.twilio.com https://media.us1.twilio.com;');
    expect((await fetch(`${demo.url}/demo/stored/CH0/0`)).status).toBe(404);
  });

  test('is not used by halves: the missing variables are named', async () => {
    const environment = { ...TWILIO, TWILIO_API_SECRET: '' };
    const starting = start({ environment });
    await expect(starting).rejects.toThrow(ConfigError);
    await expect(starting).rejects.toThrow(/TWILIO_API_SECRET/);
  });
});

describe('what Twilio stores', () => {
  test('is shown to members of the channel with a session, and to nobody else', async () => {
    const demo = await start();
    const [member, outsider] = [await session(demo, 'Alice'), await session(demo, 'Mallory')];
    const channel = await makeChannel(demo, `Bearer ${member}`);
    const path = (index: string): string => `/demo/stored/${channel}/${index}`;
    const get = async (url: string, token?: string): Promise<unknown> => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(demo.url + url, { headers });
      return response.ok ? response.json() : response.status;
    };

    expect(await get(path('0'), member)).toEqual({
      body: 'e2e1.something',
      attributes: {},
      file: null,
    });
    expect(await get(path('0'))).toBe(401);
    expect(await get(path('0'), 'not.a.session')).toBe(401);
    expect(await get(path('0'), outsider)).toBe(404);
    expect(await get(path('1'), member)).toBe(404);
    expect(await get(path('00'), member)).toBe(404);
    expect(await get('/demo/stored/CH00/0', member)).toBe(404);
  });
});
