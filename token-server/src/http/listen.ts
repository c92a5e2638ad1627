import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A server that accepts connections. */
export interface Listening {
  readonly port: number;
  /**
   * Accepts no more, and resolves when every request in flight is answered or the time for that is
   * over; those are cut off.
   */
  readonly stop: () => Promise<void>;
}

/** How long a client may take, in milliseconds. */
export interface Timeouts {
  /** To send the headers of a request, from its first byte on or from the connection on. */
  readonly headers: number;
  /** To send a whole request. */
  readonly request: number;
  /** Between two requests. Longer than proxies keep connections, so that none sends into a closed one. */
  readonly keepAlive: number;
  /** Without a byte in either direction, in the middle of a request. Longer than any answer takes. */
  readonly silence: number;
  /** To finish when the server stops. */
  readonly stop: number;
}

/** What a server uses unless it is told otherwise. */
const DEFAULT_TIMEOUTS: Timeouts = {
  headers: 10_000,
  request: 30_000,
  keepAlive: 65_000,
  silence: 60_000,
  stop: 10_000,
};

/** Node looks at its timeouts only so often; its own 30 s would be thrice the time for headers. */
const CHECK_INTERVAL = 1_000;

/**
 * Listens with timeouts that keep slow or silent clients from holding connections.
 *
 * @param app - the Express app, or anything that answers requests
 * @param port - 0 for any free one
 * @param timeouts - replaces single ones
 * @param address - the only one of the machine to listen on; all of them without it
 * @throws Error such as `EADDRINUSE`
 */
export async function listen(
  app: RequestListener,
  port: number,
  timeouts: Partial<Timeouts> = {},
  address?: string,
): Promise<Listening> {
  const { headers, request, keepAlive, silence, stop } = { ...DEFAULT_TIMEOUTS, ...timeouts };
  const server = createServer({
    headersTimeout: headers,
    requestTimeout: request,
    keepAliveTimeout: keepAlive,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL, headers),
    // Half-open connections: the system asks whether the other end is still there.
    keepAlive: true,
    keepAliveInitialDelay: silence,
  });
  server.timeout = silence;
  // Before the app: it may have answered when it returns.
  const connections = watch(server);
  server.on('request', app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return { port: portOf(server.address()), stop: () => stopServer(server, connections, stop) };
}

/** What a server has open. */
interface Connections {
  readonly sockets: ReadonlySet<Socket>;
  readonly responses: ReadonlySet<ServerResponse>;
  /** From now on every answer is the last one of its connection. */
  letGo(): void;
}

function watch(server: Server): Connections {
  const sockets = new Set<Socket>();
  const responses = new Set<ServerResponse>();
  let isStopping = false;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (_req, res) => {
    responses.add(res);
    res.once('close', () => responses.delete(res));
    if (isStopping) sayLast(res);
  });
  return {
    sockets,
    responses,
    letGo() {
      isStopping = true;
      for (const res of responses) sayLast(res);
    },
  };
}

function sayLast(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}

async function stopServer(
  server: Server,
  connections: Connections,
  timeout: number,
): Promise<void> {
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, timeout);
  // A connection kept alive becomes idle after its last answer, and would hold the server open.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  try {
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
    connections.letGo();
    // Node counts a connection without a single byte as one with a request in flight.
    for (const socket of connections.sockets) if (socket.bytesRead === 0) socket.destroy();
    await closed;
  } finally {
    clearTimeout(timer);
    clearInterval(sweep);
  }
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
