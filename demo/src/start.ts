/** `npm start`: runs the demo until SIGINT or SIGTERM. */
import { ConfigError } from 'twilio-chat-encryption-server';
import { startDemo, type Demo } from './server/demo.ts';

const { PORT, HOST } = process.env;

async function main(): Promise<void> {
  console.log('Building the page…');
  const demo = await startDemo({
    ...portFrom(PORT),
    ...(HOST && { host: HOST }),
    environment: process.env,
  });
  console.log(greeting(demo));
  await stopSignal();
  console.log('\nStopping.');
  await demo.close();
}

/** A port that was asked for is used or refused; the default one may give way to its neighbours. */
function portFrom(text: string | undefined): { port: number; portTries: number } {
  if (!text) return { port: 3000, portTries: 20 };
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port < 65_536) return { port, portTries: 0 };
  throw new Error('PORT: expected a port number, 0 to 65535');
}

function greeting({ url, emulator }: Demo): string {
  const storage = emulator
    ? 'Twilio is emulated: channels live in memory and end with this process; accounts are kept.'
    : 'On your Twilio account, as the TWILIO_… variables say.';
  return `
  Encrypted chat:  ${url}

  Open it in two browser windows, one of them private, and sign up as Alice and as Bob.
  ${storage}
  Ctrl+C stops it.
`;
}

/** Resolves with the first signal to stop. A second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const)
      process.once(name, () => {
        resolve();
      });
  });
}

try {
  await main();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) {
    return `${error.message}\nSet all TWILIO_… variables to use your account, or none for the emulator.`;
  }
  return error instanceof Error ? error.message : String(error);
}
