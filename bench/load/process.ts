/** A server in a process of its own, and what that uses. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const Use = z.object({
  /** Seconds of processor time. */
  cpu: z.number(),
  /** Resident bytes. */
  rss: z.number(),
  /** Bytes that are held, in V8's heap and by it. */
  heap: z.number(),
});

/** What a process has used. */
export type Use = Readonly<z.infer<typeof Use>>;

/** A process that listens. */
export interface Running {
  readonly port: number;
  readonly use: () => Promise<Use>;
  readonly stop: () => Promise<void>;
}

const PROBE = fileURLToPath(new URL('../load-probe.ts', import.meta.url));

/**
 * Starts a program that listens on the port in its environment.
 * @param path answers when it is ready
 * @param flags of Node
 */
export async function startProcess(
  program: string,
  args: readonly string[],
  { env, path, flags = [] }: { env: Record<string, string>; path: string; flags?: string[] },
): Promise<Running> {
  const port = await freePort();
  const child = fork(program, args, {
    env: { NODE_ENV: 'production', NODE_NO_WARNINGS: '1', ...env, PORT: String(port) },
    execArgv: ['--conditions=twilio-chat-encryption-source', '--import', PROBE, ...flags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await untilReady(child, `http://127.0.0.1:${port}${path}`);
  return { port, use: () => useOf(child), stop: () => stop(child) };
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  while (child.exitCode === null) {
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await sleep(50);
  }
  throw new Error(`A server ended with ${child.exitCode}.`);
}

async function useOf(child: ChildProcess): Promise<Use> {
  const told: Promise<unknown[]> = once(child, 'message');
  child.send('use');
  return Use.parse((await told)[0]);
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'close');
  child.kill('SIGTERM');
  await gone;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}
