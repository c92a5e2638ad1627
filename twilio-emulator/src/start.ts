import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import {
  completeCredentials,
  type Credentials,
  type EmulatorConfig,
  type Loose,
} from './config.ts';
import { createEmulator, isWebsocketPath, WEBSOCKET_PATH, type Emulator } from './emulator.ts';

/** What to give an SDK's `new Client(token, options)` so that it connects to the emulator. */
export interface ClientOptions {
  readonly Twilsock: { readonly uri: string };
}

/** An emulator with a server of its own. */
export interface RunningEmulator extends Emulator {
  /** For example `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly port: number;
  /** What access tokens have to be made with. */
  readonly config: Credentials;
  readonly clientOptions: ClientOptions;
}

/** Where the server listens: by default on a free port, for this machine only. */
export interface StartOptions extends Loose<EmulatorConfig> {
  readonly port?: number;
  readonly host?: string;
}

/** Starts an emulator on a port. Credentials that are not given are made up. */
export async function startEmulator(options: StartOptions = {}): Promise<RunningEmulator> {
  const { port = 0, host = '127.0.0.1', now, record, publicUrl, webhooks } = options;
  const config = completeCredentials(options);
  const emulator = createEmulator({ ...config, now, record, publicUrl, webhooks });
  const server = createServer((request, response) => {
    emulator.serveMedia(request, response, () => {
      response.writeHead(404, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ status: 404, code: 20404, message: 'Not found' }));
    });
  });
  server.on('upgrade', (request, socket) => {
    if (isWebsocketPath(request.url)) return;
    // Nobody else listens to this socket, and an error nobody listens to ends the process.
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  });
  emulator.attach(server);
  server.listen(port, host);
  await once(server, 'listening');

  const url = urlOf(server);
  return {
    ...emulator,
    url,
    port: Number(new URL(url).port),
    config,
    clientOptions: clientOptions(url),
    async close() {
      await emulator.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/**
 * What to give an SDK's `new Client(token, options)` so that it connects to the emulator at
 * `baseUrl` (`http:` or `https:`; a path is kept, for a proxy that adds one).
 */
export function clientOptions(baseUrl: string): ClientOptions {
  const url = new URL(baseUrl);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`not an http or https URL: ${baseUrl}`);
  }
  const scheme = url.protocol === 'https:' ? 'wss' : 'ws';
  const path = url.pathname.replace(/\/+$/, '');
  return { Twilsock: { uri: `${scheme}://${url.host}${path}${WEBSOCKET_PATH}` } };
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
