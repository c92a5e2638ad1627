import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import express from 'express';
import { pino } from 'pino';
import { createEmulator, type Emulator } from 'twilio-chat-emulator';
import {
  createTokenServer,
  type Config,
  type TokenServer,
  type TokenServerDeps,
} from 'twilio-chat-encryption-server';
import { listen, type Address } from './listen.ts';
import { buildPage } from './page.ts';
import { securityHeaders } from './security-headers.ts';
import { readSettings } from './settings.ts';
import { askTokenServer, storedMessages } from './stored.ts';

/** How to start the demo. Everything has a default. */
export interface DemoOptions {
  /** Default: 3000; 0 for any free one. */
  readonly port?: number;
  /** How many more ports to try when it is busy. Default: none. */
  readonly portTries?: number;
  /** Default: 127.0.0.1, this machine only. */
  readonly host?: string;
  /** Where the server's keys and its database are kept. Default: `demo/data`. */
  readonly dataDir?: string;
  /** Where the `TWILIO_…` variables are. Default: none, so that Twilio is emulated. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Replaces single limits of the token server. */
  readonly rateLimits?: TokenServerDeps['rateLimits'];
}

/** A running demo. */
export interface Demo {
  readonly url: string;
  /** Null on real Twilio. */
  readonly emulator: Emulator | null;
  /** Cuts the connections, and releases the port and the database. */
  close(): Promise<void>;
}

const DATA_DIR = join(import.meta.dirname, '../../data');

/**
 * Starts the page, the token server and, without `TWILIO_…` variables, the emulated Twilio, all on
 * one port.
 * @throws ConfigError for an incomplete configuration, Error `EADDRINUSE` for a busy port
 */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const { port = 3000, portTries = 0, host = '127.0.0.1', dataDir = DATA_DIR } = options;
  const { config, emulated } = readSettings(options.environment ?? {}, dataDir);
  // Warnings and errors only: the terminal shows where to click, not every request.
  const logger = pino({ level: 'warn' });
  const tokenServer = await createTokenServer(config, {
    logger,
    ...(options.rateLimits && { rateLimits: options.rateLimits }),
  });
  const emulator = emulated ? createEmulator(config.twilio) : null;
  const server = createServer();
  try {
    const url = await serve(
      server,
      { config, tokenServer, emulator },
      { host, port, tries: portTries },
    );
    return {
      url,
      emulator,
      async close() {
        await emulator?.close();
        server.close();
        server.closeAllConnections();
        await once(server, 'close');
        await tokenServer.close();
      },
    };
  } catch (error) {
    await emulator?.close();
    await tokenServer.close();
    throw error;
  }
}

interface Parts {
  readonly config: Config;
  readonly tokenServer: TokenServer;
  readonly emulator: Emulator | null;
}

async function serve(server: Server, parts: Parts, address: Address): Promise<string> {
  const { config, tokenServer, emulator } = parts;
  const page = await buildPage({
    ...tokenServer.pins,
    origin: config.origin,
    emulated: emulator !== null,
  });
  const url = await listen(server, address);
  const app = express();
  app.disable('x-powered-by');
  // Twilio's answers have headers of their own.
  if (emulator) app.use(emulator.serveMedia);
  app.use(securityHeaders(emulator !== null));
  app.use(page);
  if (emulator) app.use(storedMessages(emulator.inspect, askTokenServer(url)));
  app.use(tokenServer.app);
  emulator?.attach(server);
  server.on('request', app);
  return url;
}
