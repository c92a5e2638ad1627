import { once } from 'node:events';
import type { Server } from 'node:http';

/** Where to listen. */
export interface Address {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** How many ports after a busy one to try. */
  readonly tries: number;
}

/**
 * Listens on the first free port from `port` on.
 * @returns the server's URL
 * @throws Error `EADDRINUSE` when every port that may be tried is busy
 */
export async function listen(server: Server, { host, port, tries }: Address): Promise<string> {
  for (let next = port; ; next += 1) {
    try {
      server.listen(next, host);
      await once(server, 'listening');
      return urlOf(server);
    } catch (error) {
      if (!isBusy(error) || next >= port + tries) throw error;
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  // An unspecified address is everywhere, this machine included.
  const everywhere = address.address === '0.0.0.0' || address.address === '::';
  const named = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${everywhere ? 'localhost' : named}:${address.port}`;
}
