import { once } from 'node:events';
import { readConfig } from '../config.ts';
import { listen } from '../http/listen.ts';
import { createLogger } from '../http/logging.ts';
import { createTokenServer } from '../server.ts';
import { loadEnvironment } from './environment.ts';

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
    const listening = await listen(server.app, config.port);
    logger.info({ port: listening.port, origin: config.origin }, 'listening');
    await stopSignal();
    logger.info('stopping');
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
  await Promise.race(
    ['SIGTERM', 'SIGINT'].map((name) => once(process, name, { signal }).catch(() => undefined)),
  );
  heard.abort();
}
