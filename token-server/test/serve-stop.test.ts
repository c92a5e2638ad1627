import { describe, expect, test } from 'vitest';
import { launch } from './command-line.ts';
import { openSocket } from './raw-socket.ts';
import { environment, requester, temporaryFolder } from './support.ts';

async function serve(env: Record<string, string> = {}) {
  const launched = launch(temporaryFolder(), ['serve'], {
    ...environment(),
    PORT: '0',
    DATABASE_URL: 'sqlite:./server.db',
    ...env,
  });
  const find = () => /"port":(\d+)/.exec(launched.output.stdout)?.[1];
  await expect.poll(find).toBeDefined();
  const port = Number(find());
  return { ...launched, port, request: requester(`http://localhost:${port}`) };
}

describe('a server that was told to stop', () => {
  test('first says that it is not ready, and answers for as long as it was configured', async () => {
    const { child, exit, output, request } = await serve({ SHUTDOWN_DELAY: '2' });
    expect((await request('GET', '/readyz')).status).toBe(200);
    child.kill('SIGTERM');
    await expect.poll(() => output.stdout).toContain('"stopping"');
    const reply = await request('GET', '/readyz');
    expect([reply.status, reply.json]).toEqual([
      503,
      {
        type: 'about:blank',
        title: 'Service Unavailable',
        status: 503,
        detail: 'The server is about to stop.',
        code: 'UNAVAILABLE',
      },
    ]);
    expect(reply.headers.get('retry-after')).toBe('5');
    expect((await request('GET', '/healthz')).status).toBe(200);
    expect((await request('GET', '/v1/app')).status).toBe(200);
    expect(await exit).toMatchObject({ code: 0, stderr: '' });
    await expect(request('GET', '/healthz')).rejects.toThrow('fetch failed');
  });

  test('ends though somebody never finishes a request', async () => {
    const { child, exit, port } = await serve();
    const { socket, closed } = await openSocket(port);
    socket.write('POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const begun = performance.now();
    child.kill('SIGTERM');
    const [{ code }] = await Promise.all([exit, closed]);
    expect(code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(13_000);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('and told again by %s ends at once', async (again) => {
    const { child, exit, output } = await serve({ SHUTDOWN_DELAY: '60' });
    child.kill('SIGTERM');
    await expect.poll(() => output.stdout).toContain('"stopping"');
    const begun = performance.now();
    child.kill(again);
    expect((await exit).code).toBe(again === 'SIGTERM' ? 143 : 130);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
