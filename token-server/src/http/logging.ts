import type { Request, RequestHandler, Response } from 'express';
import { pino, type Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** The logger that a server uses unless it is given one: JSON lines to stdout. */
export function createLogger(): Logger {
  return pino();
}

/**
 * Logs one line a request: method, path, status, code of the refusal, time. Headers, query and bodies are not logged at
 * all; the redaction is there for whoever adds to this.
 */
export function requestLogger(logger: Logger): RequestHandler {
  return pinoHttp<Request, Response>({
    logger: logger.child({}, { redact: { paths: SECRETS, remove: true } }),
    serializers: { req: requestLine, res: statusLine, err: defect },
    // Otherwise pino-http puts its own serializers, which list all headers, in front of ours.
    wrapSerializers: false,
    quietReqLogger: true,
    customLogLevel: (_req, res) => (res.statusCode >= 500 ? 'error' : 'info'),
    customProps: (_req, res) => {
      const code: unknown = res.locals['code'];
      return { code };
    },
    customErrorMessage: () => 'request failed',
    autoLogging: { ignore: (req) => req.url === '/healthz' },
  });
}

const SECRETS = [
  'authorization',
  'authSecret',
  'newAuthSecret',
  'token',
  '*.authorization',
  '*.authSecret',
  '*.newAuthSecret',
  '*.token',
  '*.headers.authorization',
];

// No path of ours has other characters or longer segments; what has may be a secret gone astray.
const FOREIGN_SEGMENT = /[^/]*[^a-z0-9/._-][^/]*|[^/]{65,}/g;

function requestLine(req: { id?: unknown; method?: string; url?: string; originalUrl?: string }) {
  const [path = ''] = (req.originalUrl ?? req.url ?? '').split('?', 1);
  const known = path.replaceAll(FOREIGN_SEGMENT, '…').slice(0, 256);
  return { id: req.id, method: req.method, path: known };
}

function statusLine(res: { statusCode?: number }) {
  return { status: res.statusCode };
}

function defect(error: Error & { code?: unknown }) {
  const { name, message, stack, code, cause } = error;
  return { type: name, message, stack, code, cause: cause instanceof Error ? cause.stack : cause };
}
