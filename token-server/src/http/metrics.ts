import type { Request, RequestHandler, Response } from 'express';
import type { Registry } from 'prom-client';
import { ServerError } from '../domain/errors.ts';
import type { Store } from '../domain/store.ts';
import { oneAtATime, within } from './bounded.ts';
import type { Limiters } from './rate-limit.ts';

/** What a server counts. No name, address or id of anybody is in any of it. */
export interface Metrics {
  /** Where it is counted. */
  readonly registry: Registry;
  /** Counts and times every request that comes by. */
  readonly observe: RequestHandler;
  /** The same limiters, with their refusals counted. */
  readonly countRefusals: (limiters: Limiters) => Limiters;
}

/** Parts that metrics are made of. */
export interface MetricsParts {
  /** The application's own, which then shows it. Default: a new one, with metrics of the process too. */
  readonly registry?: Registry | undefined;
  readonly store: Pick<Store, 'log' | 'audit'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Whoever scrapes gives up a while later. */
const READ_TIMEOUT = 3_000;
/** Counting a million cards reads an index for some hundredths of a second. */
const CARDS_LIFETIME = 60_000;

/** Starts to count. */
export async function createMetrics(parts: MetricsParts): Promise<Metrics> {
  // On demand: most servers are not watched in this way.
  const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } =
    await import('prom-client');
  const registry = parts.registry ?? new Registry();
  if (!parts.registry) collectDefaultMetrics({ register: registry });
  const registers = [registry];

  const requests = new Counter({
    name: 'token_server_requests_total',
    help: 'Requests that were answered, or left by their clients before.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'token_server_request_duration_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['method', 'route'],
    registers,
  });
  const refusals = new Counter({
    name: 'token_server_limited_total',
    help: 'Requests that were refused because a limit was used up.',
    labelNames: ['limiter'],
    registers,
  });

  const read = oneAtATime(sizesOf(parts));
  const gauge = (name: string, help: string, pick: (sizes: Sizes) => number): void => {
    const one = new Gauge({
      name,
      help,
      registers,
      async collect() {
        const sizes = await read();
        // Without its database a server does not know: no value is not 0.
        if (sizes === null) this.remove();
        else this.set(pick(sizes));
      },
    });
    one.remove();
  };
  new Gauge({
    name: 'token_server_database_up',
    help: 'Whether the database answered this scrape.',
    registers,
    async collect() {
      this.set((await read()) === null ? 0 : 1);
    },
  });
  gauge('token_server_log_entries', 'Entries of the transparency log.', ({ entries }) => entries);
  gauge('token_server_cards', 'Cards that were ever published.', ({ cards }) => cards);

  return {
    registry,
    observe(req, res, next) {
      const end = durations.startTimer();
      res.once('close', () => {
        const labels = { method: methodOf(req), route: routeOf(req) };
        end(labels);
        requests.inc({ ...labels, status: statusOf(res) });
      });
      next();
    },
    countRefusals: (limiters) =>
      countRefusals(limiters, (limiter) => {
        refusals.inc({ limiter });
      }),
  };
}

/** How much there is. */
interface Sizes {
  readonly entries: number;
  readonly cards: number;
}

/** Reads the sizes; null when the database does not answer. */
function sizesOf({ store, now }: MetricsParts): () => Promise<Sizes | null> {
  let counted: { readonly cards: number; readonly at: number } | undefined;
  async function read(): Promise<Sizes> {
    const entries = await store.log.size();
    if (!counted || Math.abs(now() - counted.at) >= CARDS_LIFETIME) {
      counted = { cards: await store.audit.countCards(), at: now() };
    }
    return { entries, cards: counted.cards };
  }
  return () => within(READ_TIMEOUT, read()).catch(() => null);
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

function methodOf({ method }: Request): string {
  return METHODS.has(method) ? method : 'other';
}

/** The route as it is written in the code: a path has ids in it, and anybody can make up a new one. */
function routeOf(req: Request): string {
  const route: unknown = req.route;
  const isRoute = typeof route === 'object' && route !== null && 'path' in route;
  return isRoute && typeof route.path === 'string' ? route.path : 'none';
}

function statusOf(res: Response): string {
  return res.writableFinished ? String(res.statusCode) : 'aborted';
}

function countRefusals(limiters: Limiters, refused: (name: string) => void): Limiters {
  const counted: { -readonly [Name in keyof Limiters]: Limiters[Name] } = { ...limiters };
  const isName = (name: string): name is keyof Limiters => name in limiters;
  for (const name of Object.keys(limiters).filter(isName)) {
    const limiter = limiters[name];
    counted[name] = {
      ...limiter,
      async consume(key) {
        try {
          await limiter.consume(key);
        } catch (error) {
          if (error instanceof ServerError && error.code === 'RATE_LIMITED') refused(name);
          throw error;
        }
      },
    };
  }
  return counted;
}
