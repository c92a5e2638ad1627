import type { Request, RequestHandler, Response } from 'express';
import { pino, type Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { nameRequest } from './request-id.ts';

/** The logger that a server uses unless it is given one: JSON lines to stdout. */
export function createLogger(): Logger {
  return pino();
}

/**
 * Logs one line a request: its id, method, path, status, code of the refusal, time. Headers, query and
 * bodies are not logged at all; the redaction is there for whoever adds to this.
 */
export function requestLogger(logger: Logger): RequestHandler {
  return pinoHttp<Request, Response>({
    logger: logger.child({}, { redact: { paths: SECRETS, remove: true } }),
    serializers: { req: requestLine, res: statusLine, err: defect },
    // Otherwise pino-http puts its own serializers, which list all headers, in front of ours.
    wrapSerializers: false,
    quietReqLogger: true,
    genReqId: nameRequest,
    customLogLevel: levelOf,
    customProps: (_req, res) => {
      const code: unknown = res.locals['code'];
      return { code };
    },
    customErrorMessage: () => 'request failed',
  });
}

function levelOf(req: Request, { statusCode }: Response): 'error' | 'info' | 'silent' {
  if (statusCode >= 500) return 'error';
  return statusCode === 200 && QUIET.has(req.url) ? 'silent' : 'info';
}

/** Machines ask for these every few seconds: only what goes wrong is worth a line. */
const QUIET: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

const SECRET_NAMES = [
  'authorization',
  'cookie',
  'password',
  'authSecret',
  'newAuthSecret',
  'token',
  'backup',
  'body',
  'query',
];
// Of whatever is logged, and of what is in it; headers are one deeper.
const SECRETS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.headers.${name}`]);

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

/** Why it failed: with the database's own code, as `SQLITE_FULL`, which says what to do. */
function reason({ stack, code }: Error & { code?: unknown }) {
  return { code, stack };
}

function defect(error: Error & { code?: unknown }) {
  const { name, message, stack, code, cause } = error;
  return {
    type: name,
    message,
    stack,
    code,
    cause: cause instanceof Error ? reason(cause) : cause,
  };
}
