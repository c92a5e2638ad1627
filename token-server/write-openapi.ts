/**
 * Writes `openapi.json`: what a server answers to `GET /v1/openapi.json` that has every route.
 *
 *     npm run openapi
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { pino } from 'pino';
import { createTokenServer, listen, readConfig } from './src/index.ts';

const secret = () => randomBytes(32).toString('base64url');
const hex = () => randomBytes(16).toString('hex');

const config = readConfig({
  TWILIO_ACCOUNT_SID: `AC${hex()}`,
  TWILIO_API_KEY: `SK${hex()}`,
  TWILIO_API_SECRET: secret(),
  TWILIO_CHAT_SERVICE_SID: `IS${hex()}`,
  TWILIO_AUTH_TOKEN: hex(),
  APP_PRIVATE_KEY: secret(),
  LOG_PRIVATE_KEY: secret(),
  SESSION_SECRET: secret(),
  METRICS_TOKEN: secret(),
  ORIGIN: 'http://localhost',
  DATABASE_URL: 'sqlite::memory:',
});
const server = await createTokenServer(config, { logger: pino({ enabled: false }) });
const { port, stop } = await listen(server.app, 0);
const response = await fetch(`http://localhost:${port}/v1/openapi.json`);
const document: unknown = await response.json();
await stop();
await server.close();
const text = `${JSON.stringify(document, null, 2)}\n`;
await writeFile(new URL('openapi.json', import.meta.url), text);
