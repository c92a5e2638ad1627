import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import { listen, type Listening, type Timeouts } from '../src/index.ts';
import { openSocket, type RawSocket } from './raw-socket.ts';
import { afterTest } from './support.ts';

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const SHORT: Partial<Timeouts> = { headers: 400, request: 800, keepAlive: 500, silence: 1500 };

/** Reads the body to its end, and answers. */
const echo: RequestListener = (req, res) => {
  let body = '';
  req.on('data', (chunk) => (body += String(chunk)));
  req.on('end', () => res.end(`<${body}>`));
};

async function serving(app: RequestListener, timeouts: Partial<Timeouts>): Promise<Listening> {
  const listening = await listen(app, 0, timeouts);
  afterTest(() => listening.stop());
  return listening;
}

test('an address is the only one that is listened on', async () => {
  const { port, stop } = await listen(echo, 0, {}, '127.0.0.1');
  afterTest(stop);
  const ask = (address: string) =>
    fetch(`http://${address}:${port}`, { signal: AbortSignal.timeout(1000) });
  expect((await ask('127.0.0.1')).status).toBe(200);
  // Another one of this machine.
  await expect(ask('127.0.0.2')).rejects.toThrow();
});

describe('a client that', () => {
  test('connects and says nothing is let go', async () => {
    const { port } = await serving(echo, SHORT);
    const { closed } = await openSocket(port);
    expect(await closed).toBeLessThan(1500);
  });

  test('sends its headers drop by drop is let go, and others are served meanwhile', async () => {
    const { port } = await serving(echo, SHORT);
    const slow = await Promise.all(Array.from({ length: 50 }, () => openSocket(port)));
    const drops = setInterval(() => {
      for (const { socket } of slow) if (!socket.destroyed) socket.write('X-A: b\r\n');
    }, 50);
    afterTest(() => {
      clearInterval(drops);
    });
    for (const { socket } of slow) socket.write('GET / HTTP/1.1\r\n');
    expect(await (await fetch(`http://localhost:${port}`)).text()).toBe('<>');
    for (const { closed, received } of slow) {
      expect(await closed).toBeLessThan(2500);
      expect(received()).toMatch(/^(HTTP\/1.1 408 |$)/);
    }
  });

  test('sends its body drop by drop is let go', async () => {
    const { port } = await serving(echo, SHORT);
    const { socket, closed, received } = await openSocket(port);
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n');
    const drops = setInterval(() => socket.write('x'), 50);
    afterTest(() => {
      clearInterval(drops);
    });
    expect(await closed).toBeLessThan(2500);
    expect(received()).not.toContain('200 OK');
  });

  test('does not read its answer is let go', async () => {
    const long = Buffer.alloc(64 * 1024 * 1024);
    let cut: number | undefined;
    const { port } = await serving((_req, res) => {
      const begun = performance.now();
      res.once('close', () => (cut = performance.now() - begun));
      res.end(long);
    }, SHORT);
    const { socket } = await openSocket(port);
    socket.pause();
    socket.write(GET);
    await expect.poll(() => cut).toBeDefined();
    expect(cut).toBeLessThan(5000);
  });

  test('has nothing more to ask keeps its connection for a while only', async () => {
    const { port } = await serving(echo, SHORT);
    const { socket, received, closed } = await openSocket(port);
    socket.write(GET);
    await expect.poll(received).toContain('<>');
    socket.write(GET);
    await expect.poll(() => received().split('<>').length).toBe(3);
    // Node adds a second, so that it does not close what a client is about to use.
    expect(await closed).toBeLessThan(3500);
  });
});

describe('a server that stops', () => {
  test('closes what is idle or silent at once, and accepts nothing more', async () => {
    const { port, stop } = await listen(echo, 0);
    const idle = await openSocket(port);
    idle.socket.write(GET);
    await expect.poll(idle.received).toContain('<>');
    const silent = await openSocket(port);
    // The server has to know of it before it is to let it go.
    await sleep(50);
    const begun = performance.now();
    await stop();
    expect(performance.now() - begun).toBeLessThan(1000);
    await Promise.all([idle.closed, silent.closed]);
    await expect(openSocket(port)).rejects.toThrow('ECONNREFUSED');
  });

  test('finishes what is in flight, and says that the connection ends', async () => {
    const { port, stop } = await listen(echo, 0);
    const { socket, received, closed } = await openSocket(port);
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel');
    await sleep(50);
    const stopped = stop();
    await sleep(200);
    socket.write('lo');
    await Promise.all([stopped, closed]);
    expect(received()).toContain('<hello>');
    expect(received()).toMatch(/Connection: close/i);
  });

  test.each([
    [
      'a request without its end',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n',
    ],
    ['headers without their end', 'GET / HTTP/1.1\r\nHost: local'],
    ['an answer without its end', GET],
  ])('waits for %s no longer than it was to', async (name, begin) => {
    const never: RequestListener = (_req, res) => res.write('…');
    const app = name === 'an answer without its end' ? never : echo;
    const { port, stop } = await listen(app, 0, { stop: 500 });
    const { socket, closed }: RawSocket = await openSocket(port);
    socket.write(begin);
    await sleep(50);
    const begun = performance.now();
    await stop();
    const taken = performance.now() - begun;
    expect([taken > 400, taken < 2000]).toEqual([true, true]);
    await closed;
  });
});
