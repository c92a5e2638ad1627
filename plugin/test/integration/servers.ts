/**
 * What runs behind people: a Twilio emulator, and a token server over HTTP with SQLite. Nothing of the
 * test runner in here: a process of its own runs it for tests in Chromium.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { startEmulator, type RunningEmulator } from 'twilio-chat-emulator';
import { curves } from 'twilio-chat-encryption/protocol';
import { createTokenServer, readConfig } from 'twilio-chat-encryption-server';

export interface Servers {
  readonly emulator: RunningEmulator;
  /** The token server's URL. */
  readonly server: string;
  readonly appKey: string;
  readonly logKey: string;
  /** Ends the token server, and nothing else. */
  closeTokenServer(): Promise<void>;
  close(): Promise<void>;
}

/** 32 random bytes, as configurations have them. */
export const newKey = (): string => randomBytes(32).toString('base64url');

export async function startServers(): Promise<Servers> {
  const emulator = await startEmulator({ record: 10_000 });
  const [appPrivateKey, logPrivateKey] = [newKey(), newKey()];
  const config = readConfig({
    TWILIO_ACCOUNT_SID: emulator.config.accountSid,
    TWILIO_API_KEY: emulator.config.apiKey,
    TWILIO_API_SECRET: emulator.config.apiSecret,
    TWILIO_CHAT_SERVICE_SID: emulator.config.serviceSid,
    DATABASE_URL: 'sqlite::memory:',
    APP_PRIVATE_KEY: appPrivateKey,
    LOG_PRIVATE_KEY: logPrivateKey,
    SESSION_SECRET: newKey(),
    ORIGIN: 'http://localhost',
  });
  const generous = { points: 1_000_000, seconds: 60 };
  const tokenServer = await createTokenServer(config, {
    logger: pino({ level: 'silent' }),
    // Nobody guesses passwords here.
    scryptCost: { logN: 4, r: 8, p: 1 },
    rateLimits: {
      routeByAddress: generous,
      routeByIdentity: generous,
      signUpByAddress: generous,
      signInByAddress: generous,
    },
  });
  const http = createServer((request, response) => {
    if (!answersPreflight(request, response)) tokenServer.app(request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  let isTokenServerOpen = true;
  async function closeTokenServer(): Promise<void> {
    if (!isTokenServerOpen) return;
    isTokenServerOpen = false;
    http.close();
    http.closeAllConnections();
    await tokenServer.close();
  }
  return {
    emulator,
    server: `http://127.0.0.1:${port}`,
    appKey: await publicKeyOf(appPrivateKey),
    logKey: await publicKeyOf(logPrivateKey),
    closeTokenServer,
    async close() {
      await closeTokenServer();
      await emulator.close();
    },
  };
}

async function publicKeyOf(privateKey: string): Promise<string> {
  const seed = new Uint8Array(Buffer.from(privateKey, 'base64url'));
  const { publicKey } = await (await curves()).importSigningKey(seed);
  return Buffer.from(publicKey).toString('base64url');
}

// A page of the test runner has another origin.
function answersPreflight({ method }: IncomingMessage, response: ServerResponse): boolean {
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-headers', 'authorization, content-type');
  response.setHeader('access-control-allow-methods', 'GET, POST, PUT, DELETE');
  if (method !== 'OPTIONS') return false;
  response.writeHead(204).end();
  return true;
}
