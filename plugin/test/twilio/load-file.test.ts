/** Twilio chooses the address of a file: where it may lead, and what is told there. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { loadFile } from '../../src/twilio/core/load-file.ts';

const asked: IncomingMessage[] = [];
let answer: (response: ServerResponse) => void;
let origin: string;

const server = createServer((request, response) => {
  asked.push(request);
  answer(response);
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  origin = `http://127.0.0.1:${address.port}`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

beforeEach(() => {
  asked.length = 0;
  answer = (response) => response.end('the bytes');
});

function load(url: string | null, signal = new AbortController().signal): Promise<Response> {
  const getContentTemporaryUrl = (): Promise<string | null> => Promise.resolve(url);
  return loadFile({ sid: 'ME1', size: 9, getContentTemporaryUrl }, signal);
}

const UNREACHABLE = { code: 'FILE_UNREACHABLE' };

test('a file is loaded from where it is, and nothing is told of who asks', async () => {
  expect(await (await load(`${origin}/file`)).text()).toBe('the bytes');
  const [{ headers } = {}] = asked;
  expect(headers).not.toHaveProperty('cookie');
  expect(headers).not.toHaveProperty('authorization');
  expect(headers).not.toHaveProperty('referer');
});

test.each([301, 302, 303, 307, 308])(
  'an address that leads elsewhere (%i) is not followed',
  async (status) => {
    answer = (response) => response.writeHead(status, { location: `${origin}/inside` }).end();
    await expect(load(`${origin}/file`)).rejects.toMatchObject(UNREACHABLE);
    expect(asked.map(({ url }) => url)).toEqual(['/file']);
  },
);

test.each([
  'http://media.us1.twilio.com/file',
  'http://169.254.169.254/latest/meta-data',
  'http://localhost.attacker.example/file',
  'http://127.0.0.1@attacker.example/file',
  'file:///etc/passwd',
  'data:text/plain,the bytes',
  'blob:https://chat.example/1',
  'javascript:1',
  'no address',
  '',
])('%j is no address of a file: nobody is asked', async (url) => {
  const fetched = vi.spyOn(globalThis, 'fetch');
  await expect(load(url)).rejects.toMatchObject(UNREACHABLE);
  expect(fetched).not.toHaveBeenCalled();
  fetched.mockRestore();
});

test('a file that Twilio has no address for is FILE_UNREACHABLE', async () => {
  await expect(load(null)).rejects.toMatchObject(UNREACHABLE);
});

test.each([403, 404, 500])(
  'an answer of status %i is FILE_UNREACHABLE, and says which',
  async (status) => {
    answer = (response) => response.writeHead(status).end('the bytes');
    await expect(load(`${origin}/file`)).rejects.toThrow(`status ${status}`);
  },
);

test('who gives it up is told their own reason', async () => {
  await expect(load(`${origin}/file`, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
    'enough',
  );
});
