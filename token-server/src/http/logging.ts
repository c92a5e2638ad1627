import type { RequestHandler } from 'express';
import { pino, type Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** The logger that a server uses unless it is given one: JSON lines to stdout. */
export function createLogger(): Logger {
  return pino();
}

/**
 * Logs one line a request: method, path, status, time. Headers, query and bodies are not logged at
 * all; the redaction is there for whoever adds to this.
 */
export function requestLogger(logger: Logger): RequestHandler {
  return pinoHttp({
    logger: logger.child({}, { redact: { paths: SECRETS, remove: true } }),
    serializers: { req: requestLine, res: statusLine, err: defect },
    // Otherwise pino-http puts its own serializers, which list all headers, in front of ours.
    wrapSerializers: false,
    quietReqLogger: true,
    customLogLevel: (_req, res) => (res.statusCode >= 500 ? 'error' : 'info'),
    customErrorMessage: () => 'request failed',
    autoLogging: { ignore: (req) => req.url === '/healthz' },
  });
}

const SECRETS = [
  'authorization',
  'authSecret',
  'token',
  '*.authorization',
  '*.authSecret',
  '*.token',
  '*.headers.authorization',
];

function requestLine(req: { id?: unknown; method?: string; url?: string; originalUrl?: string }) {
  const [path = ''] = (req.originalUrl ?? req.url ?? '').split('?', 1);
  return { id: req.id, method: req.method, path: path.slice(0, 256) };
}

function statusLine(res: { statusCode?: number }) {
  return { status: res.statusCode };
}

function defect(error: { name?: string; message?: string; stack?: string; code?: unknown }) {
  const { name, message, stack, code } = error;
  return { type: name, message, stack, code };
}
