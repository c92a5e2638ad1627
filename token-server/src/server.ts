import { randomBytes } from 'node:crypto';
import type { Express } from 'express';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { base64url } from 'twilio-chat-encryption/protocol';
import type { Config } from './config.ts';
import { createBackups } from './domain/backups.ts';
import { createCards } from './domain/cards.ts';
import { logEarlierCards } from './domain/earlier-cards.ts';
import { requireLogOf } from './domain/log-key.ts';
import { createLog } from './domain/log.ts';
import { DEFAULT_SCRYPT_COST, type ScryptCost } from './domain/secret-hash.ts';
import { signingKeyOf } from './domain/signer.ts';
import type { Store } from './domain/store.ts';
import { createApp } from './http/app.ts';
import type { Identify } from './http/authenticate.ts';
import { createLogger } from './http/logging.ts';
import { sweep } from './http/limiter.ts';
import { createMetrics } from './http/metrics.ts';
import { createLimiters, DEFAULT_RATE_LIMITS, type RateLimits } from './http/rate-limit.ts';
import { appInfoRoutes } from './http/routes/app-info.ts';
import { backupRoutes } from './http/routes/backup.ts';
import { cardRoutes } from './http/routes/cards.ts';
import { healthRoutes } from './http/routes/health.ts';
import { logRoutes } from './http/routes/log.ts';
import { metricsRoutes } from './http/routes/metrics.ts';
import { openApiRoutes } from './http/routes/openapi.ts';
import { twilioTokenRoutes } from './http/routes/twilio-token.ts';
import { webhookRoutes } from './http/routes/webhook.ts';
import { createSignIn } from './sign-in.ts';
import { openStore } from './store/open.ts';

/** A token server that is ready to be mounted. */
export interface TokenServer {
  /** Give it to `http.createServer`, or mount it in another Express app with `use`. */
  readonly app: Express;
  /** The public keys of this server, for the application's configuration: base64url. */
  readonly pins: { readonly appKey: string; readonly logKey: string };
  /** From now on `/readyz` answers 503, so that no more requests are sent here. Others are answered. */
  drain(): void;
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
  /** Who sent a request, when the application knows. Comes before `AUTH`. Default: by `AUTH`. */
  readonly authenticate?: Identify;
  /** Cost of new secret hashes. */
  readonly scryptCost?: ScryptCost;
  /** Where the application collects its own metrics, and shows them itself. Default: nowhere. */
  readonly metrics?: Registry;
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
  const appKey = await signingKeyOf(config.appKey);
  const logKey = await signingKeyOf(config.logKey);
  const store = deps.store ?? (await openStore(config.databaseUrl)).store;

  await requireLogOf(store.log, logKey.publicKey);
  const log = createLog({ log: store.log, logKey, now });
  await logEarlierCards(store, log);
  const cards = createCards({ store, log, appKey, now });
  const { metricsToken } = config;
  const isWatched = metricsToken !== null || deps.metrics !== undefined;
  const metrics = isWatched ? await createMetrics({ registry: deps.metrics, store, now }) : null;
  const limits = { ...DEFAULT_RATE_LIMITS, ...deps.rateLimits };
  const uncounted = createLimiters(limits, store.counts);
  const limiters = metrics?.countRefusals(uncounted) ?? uncounted;
  const stopSweeping = store.counts && sweep(store.counts, Date.now);
  const cost = deps.scryptCost ?? DEFAULT_SCRYPT_COST;
  const parts = { store, log, appKey, limiters, cost, now, random };
  const signIn = await createSignIn(config, deps.authenticate, parts);
  const { authenticate } = signIn;
  const { serviceSid } = config.twilio;
  const pins = Object.freeze({
    appKey: base64url.encode(appKey.publicKey),
    logKey: base64url.encode(logKey.publicKey),
  });

  let isDraining = false;
  const routes = [
    ...signIn.routes,
    ...backupRoutes(createBackups(store)),
    ...twilioTokenRoutes(config.twilio),
    ...(config.webhook ? webhookRoutes({ ...config.webhook, serviceSid }) : []),
    ...appInfoRoutes({ ...pins, origin: config.origin }),
    ...cardRoutes(cards, log),
    ...logRoutes(log),
    ...healthRoutes({ store, isDraining: () => isDraining }),
    ...(metrics && metricsToken !== null ? metricsRoutes(metrics.registry, metricsToken) : []),
  ];
  const { corsOrigins, trustProxy } = config;
  const observe = metrics?.observe;
  const app = createApp({
    routes: [...routes, ...openApiRoutes(routes)],
    authenticate,
    limiters,
    logger,
    observe,
    corsOrigins,
    trustProxy,
  });

  return {
    app,
    pins,
    drain() {
      isDraining = true;
    },
    async close() {
      stopSweeping?.();
      if (deps.store === undefined) await store.close();
    },
  };
}
