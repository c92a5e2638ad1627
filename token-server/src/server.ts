import { randomBytes } from 'node:crypto';
import type { Express } from 'express';
import type { Logger } from 'pino';
import { base64url, curves } from 'twilio-chat-encryption/protocol';
import type { Config } from './config.ts';
import { createAccountChanges } from './domain/account-changes.ts';
import { createAccounts } from './domain/accounts.ts';
import { createBackups } from './domain/backups.ts';
import { createCards } from './domain/cards.ts';
import { logEarlierCards } from './domain/earlier-cards.ts';
import { createLog } from './domain/log.ts';
import { DEFAULT_SCRYPT_COST, type ScryptCost } from './domain/secret-hash.ts';
import { createSessions } from './domain/sessions.ts';
import type { Store } from './domain/store.ts';
import { createApp } from './http/app.ts';
import { createLogger } from './http/logging.ts';
import { createLimiters, DEFAULT_RATE_LIMITS, type RateLimits } from './http/rate-limit.ts';
import { accountChangeRoutes } from './http/routes/account-changes.ts';
import { accountRoutes } from './http/routes/accounts.ts';
import { appInfoRoutes } from './http/routes/app-info.ts';
import { backupRoutes } from './http/routes/backup.ts';
import { cardRoutes } from './http/routes/cards.ts';
import { healthRoutes } from './http/routes/health.ts';
import { logRoutes } from './http/routes/log.ts';
import { sessionRoutes } from './http/routes/sessions.ts';
import { twilioTokenRoutes } from './http/routes/twilio-token.ts';
import { openStore } from './store/open.ts';

/** A token server that is ready to be mounted. */
export interface TokenServer {
  /** Give it to `http.createServer`, or mount it in another Express app with `use`. */
  readonly app: Express;
  /** Releases the database, if this server opened it. Close the HTTP server first. */
  close(): Promise<void>;
}

/** What a server can be given instead of its own. */
export interface TokenServerDeps {
  /** Whoever passes a store closes it. Default: the database of the configuration. */
  readonly store?: Store;
  /** Default: JSON lines to stdout. */
  readonly logger?: Logger;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
  /** Unpredictable bytes. Default: `node:crypto`. */
  readonly random?: (length: number) => Uint8Array;
  /** Cost of new secret hashes. */
  readonly scryptCost?: ScryptCost;
  /** Replaces single limits. */
  readonly rateLimits?: Partial<RateLimits>;
}

/**
 * Makes a token server: opens its database, brings the schema up to date and puts the routes
 * together. It does not listen; see {@link listen}.
 *
 * @param config - from {@link readConfig}
 */
export async function createTokenServer(
  config: Config,
  deps: TokenServerDeps = {},
): Promise<TokenServer> {
  const { now = Date.now, random = randomBytes, logger = createLogger() } = deps;
  const ed25519 = await curves();
  const appKey = await ed25519.importSigningKey(config.appPrivateKey);
  const logKey = await ed25519.importSigningKey(config.logPrivateKey);
  const store = deps.store ?? (await openStore(config.databaseUrl)).store;

  const cost = deps.scryptCost ?? DEFAULT_SCRYPT_COST;
  const accounts = await createAccounts({ store, cost, now, random });
  const sessions = createSessions({ store, secret: config.sessionSecret, now });
  const log = createLog({ log: store.log, logKey, now });
  await logEarlierCards(store, log);
  const cards = createCards({ store, log, appKey, now });
  const changes = createAccountChanges({ store, accounts, log, appKey, cost, now, random });
  const limiters = createLimiters({ ...DEFAULT_RATE_LIMITS, ...deps.rateLimits });
  const info = {
    appKey: base64url.encode(appKey.publicKey),
    logKey: base64url.encode(logKey.publicKey),
    origin: config.origin,
  };

  const routes = [
    ...accountRoutes(accounts, limiters),
    ...sessionRoutes(accounts, sessions, limiters),
    ...accountChangeRoutes(changes, sessions, limiters),
    ...backupRoutes(createBackups(store)),
    ...twilioTokenRoutes(config.twilio),
    ...appInfoRoutes(info),
    ...cardRoutes(cards, log),
    ...logRoutes(log),
    ...healthRoutes(store),
  ];
  const { corsOrigins, trustProxy } = config;
  const app = createApp({ routes, sessions, limiters, logger, corsOrigins, trustProxy });

  return {
    app,
    async close() {
      if (deps.store === undefined) await store.close();
    },
  };
}
