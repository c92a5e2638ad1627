import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../config.ts';
import { listen } from '../http/listen.ts';
import { createLogger } from '../http/logging.ts';
import { createTokenServer } from '../server.ts';
import { loadEnvironment } from './environment.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * `serve`: runs until SIGTERM or SIGINT, then answers what is in flight and closes the database.
 *
 * @throws ConfigError; Error when the database does not open or the port is taken
 */
export async function serve(envFile: string): Promise<void> {
  const config = readConfig(loadEnvironment(envFile));
  const logger = createLogger();
  const server = await createTokenServer(config, { logger });
  try {
    const listening = await listen(server.app, config.port, {}, config.bindAddress);
    logger.info({ port: listening.port, origin: config.origin }, 'listening');
    await stopSignal();
    logger.info('stopping');
    server.drain();
    await sleep(config.shutdownDelay);
    await listening.stop();
  } finally {
    await server.close();
  }
  logger.info('stopped');
}

/** Resolves with the first signal to stop. A second one ends the process at once. */
async function stopSignal(): Promise<void> {
  const heard = new AbortController();
  const { signal } = heard;
  await Promise.race(SIGNALS.map((name) => once(process, name, { signal }).catch(() => undefined)));
  heard.abort();
  // Its default would do, but not for the first process of a container.
  for (const name of SIGNALS) process.once(name, () => process.exit(128 + constants.signals[name]));
}
