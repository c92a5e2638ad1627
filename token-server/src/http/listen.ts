import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that accepts connections. */
export interface Listening {
  readonly port: number;
  /** Accepts no more, and resolves when every request in flight is answered or 10 s have passed. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT = 10_000;

/**
 * Listens with timeouts that keep slow or silent clients from holding connections.
 *
 * @param app - the Express app, or anything that answers requests
 * @param port - 0 for any free one
 * @throws Error such as `EADDRINUSE`
 */
export async function listen(app: RequestListener, port: number): Promise<Listening> {
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000 },
    app,
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return { port: portOf(server.address()), stop: () => stop(server) };
}

async function stop(server: ReturnType<typeof createServer>): Promise<void> {
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, STOP_TIMEOUT);
  // A connection kept alive becomes idle after its last answer, and would hold the server open.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  } finally {
    clearTimeout(timer);
    clearInterval(sweep);
  }
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
