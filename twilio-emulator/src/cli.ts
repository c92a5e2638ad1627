#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { startEmulator } from './start.ts';

const USAGE = `twilio-chat-emulator: a local Twilio chat backend for the real Twilio SDKs

  --port <n>            port to listen on (default: 4000; 0: any free one)
  --host <address>      address to listen on (default: 127.0.0.1)
  --account-sid <AC…>   credentials; those left out are made up
  --api-key <SK…>
  --service-sid <IS…>
  --help

The API secret is read from the environment, TWILIO_API_SECRET, or made up.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '4000' },
      host: { type: 'string', default: '127.0.0.1' },
      'account-sid': { type: 'string' },
      'api-key': { type: 'string' },
      'service-sid': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { url, config, clientOptions } = await startEmulator({
    port: toPort(values.port),
    host: values.host,
    accountSid: values['account-sid'],
    apiKey: values['api-key'],
    apiSecret: process.env['TWILIO_API_SECRET'],
    serviceSid: values['service-sid'],
  });
  console.log(`Listening on ${url}
TWILIO_ACCOUNT_SID=${config.accountSid}
TWILIO_API_KEY=${config.apiKey}
TWILIO_API_SECRET=${config.apiSecret}
TWILIO_CHAT_SERVICE_SID=${config.serviceSid}
new Client(token, ${JSON.stringify(clientOptions)})`);
}

function toPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65535))
    throw new TypeError(`--port must be a number from 0 to 65535, not: ${text}`);
  return port;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  console.error('Try --help.');
  process.exitCode = 1;
}
