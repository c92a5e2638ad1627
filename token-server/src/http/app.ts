import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { ServerError } from '../domain/errors.ts';
import { cors } from './cors.ts';
import { requestLogger } from './logging.ts';
import { answerProblem } from './problem.ts';
import type { Route, RouteContext } from './route.ts';

/** What the Express app is put together from. */
export interface AppParts extends RouteContext {
  readonly routes: readonly Route[];
  readonly logger: Logger;
  /** Is told of every request. */
  readonly observe: RequestHandler | undefined;
  readonly corsOrigins: readonly string[];
  readonly trustProxy: false | number | readonly string[];
}

/** The Express app around the routes. */
export function createApp(parts: AppParts): Express {
  const { routes, logger, observe, corsOrigins, trustProxy } = parts;
  const app = express();
  app.set('trust proxy', trustProxy);
  app.set('etag', false);
  app.set('query parser', false);
  // A path is what is written in the document. A proxy that closes one knows of no other ways to write it.
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.use(requestLogger(logger));
  if (observe) app.use(observe);
  app.use(helmet());
  app.use(cors(corsOrigins));
  app.use(noStore);
  for (const { method, path, handler } of routes) app[method](path, handler(parts));
  for (const path of new Set(routes.map((route) => route.path))) {
    app.all(path, methodNotAllowed(routes.filter((route) => route.path === path)));
  }
  app.use(() => {
    throw new ServerError('NOT_FOUND', 'There is no such route.');
  });
  app.use(answerProblem);
  return app;
}

/** Answers hold tokens, or cards that may be revoked the next minute. */
const noStore: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};

function methodNotAllowed(routes: readonly Route[]): RequestHandler {
  const allowed = routes.map(({ method }) => method.toUpperCase()).join(', ');
  return (_req, res) => {
    res.set('Allow', allowed);
    throw new ServerError('METHOD_NOT_ALLOWED', 'This route has other methods; see Allow.');
  };
}
