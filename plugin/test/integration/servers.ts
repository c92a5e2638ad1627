/**
 * What runs behind people: a Twilio emulator, and a token server over HTTP with SQLite. Nothing of the
 * test runner in here: a process of its own runs it for tests in Chromium.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { startEmulator, type RunningEmulator, type WebhookProduct } from 'twilio-chat-emulator';
import { createTokenServer, readConfig, type TokenServer } from 'twilio-chat-encryption-server';

export interface Servers {
  readonly emulator: RunningEmulator;
  /** The token server's URL. */
  readonly server: string;
  readonly appKey: string;
  readonly logKey: string;
  /** Ends the token server, and nothing else. */
  closeTokenServer(): Promise<void>;
  /**
   * Starts the token server again at its URL, with other variables.
   * @param meanwhile is done, with the new variables, while none runs
   */
  restart(changes: Variables, meanwhile?: (variables: Variables) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** An environment. */
export type Variables = Readonly<Record<string, string>>;

/** 32 random bytes, as configurations have them. */
export const newKey = (): string => randomBytes(32).toString('base64url');

/**
 * @param now the token server's clock: milliseconds since 1970-01-01 UTC
 * @param changes of its variables
 * @param product whose webhook asks the token server before a message is stored; none by default
 */
export async function startServers(
  now: () => number = Date.now,
  changes: Variables = {},
  product?: WebhookProduct,
): Promise<Servers> {
  let tokenServer: TokenServer | undefined;
  const http = createServer((request, response) => {
    if (!answersPreflight(request, response)) tokenServer?.app(request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const server = `http://127.0.0.1:${port}`;
  const webhook = {
    url: `${server}/v1/webhooks/twilio`,
    authToken: randomBytes(16).toString('hex'),
  };
  const emulator = await startEmulator({
    record: 10_000,
    ...(product && { webhooks: { ...webhook, product } }),
  });
  let variables: Variables = {
    TWILIO_ACCOUNT_SID: emulator.config.accountSid,
    TWILIO_API_KEY: emulator.config.apiKey,
    TWILIO_API_SECRET: emulator.config.apiSecret,
    TWILIO_CHAT_SERVICE_SID: emulator.config.serviceSid,
    DATABASE_URL: 'sqlite::memory:',
    APP_PRIVATE_KEY: newKey(),
    LOG_PRIVATE_KEY: newKey(),
    SESSION_SECRET: newKey(),
    ORIGIN: 'http://localhost',
    ...(product && { TWILIO_AUTH_TOKEN: webhook.authToken, WEBHOOK_URL: webhook.url }),
    ...changes,
  };
  const generous = { points: 1_000_000, seconds: 60 };
  const open = (): Promise<TokenServer> =>
    createTokenServer(readConfig(variables), {
      now,
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
  tokenServer = await open();
  const { pins } = tokenServer;
  let isTokenServerOpen = true;
  async function closeTokenServer(): Promise<void> {
    if (!isTokenServerOpen) return;
    isTokenServerOpen = false;
    http.close();
    http.closeAllConnections();
    await tokenServer?.close();
  }
  return {
    emulator,
    server,
    ...pins,
    closeTokenServer,
    async restart(more, meanwhile) {
      await tokenServer?.close();
      variables = { ...variables, ...more };
      await meanwhile?.(variables);
      tokenServer = await open();
    },
    async close() {
      await closeTokenServer();
      await emulator.close();
    },
  };
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
