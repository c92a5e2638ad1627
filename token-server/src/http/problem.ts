import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler } from 'express';
import { ServerError, type ServerErrorCode } from '../domain/errors.ts';

/** What every refusal looks like: a problem document of RFC 9457, with a code to act on. */
export interface Problem {
  /** `about:blank`: the code, not a URI, tells problems apart. */
  readonly type: string;
  /** The name of the status. */
  readonly title: string;
  readonly status: number;
  /** One sentence for people. */
  readonly detail: string;
  readonly code: ServerErrorCode;
}

const STATUS: Readonly<Record<ServerErrorCode, number>> = {
  INVALID_REQUEST: 400,
  INVALID_JSON: 400,
  INVALID_IDENTITY: 400,
  UNAUTHENTICATED: 401,
  SESSION_INVALID: 401,
  SESSION_EXPIRED: 401,
  WRONG_CREDENTIALS: 401,
  IDENTITY_MISMATCH: 403,
  NOT_ENCRYPTED: 403,
  WEBHOOK_SIGNATURE_INVALID: 403,
  NOT_FOUND: 404,
  CARD_NOT_FOUND: 404,
  BACKUP_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  ACCOUNT_EXISTS: 409,
  KEY_REUSED: 409,
  CARD_LIMIT: 409,
  PRECONDITION_FAILED: 412,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  CARD_INVALID: 422,
  SIGNATURE_NOT_ALLOWED: 422,
  CLOCK_SKEW: 422,
  LINK_INVALID: 422,
  REVOCATION_INVALID: 422,
  CARD_REVOKED: 409,
  TOO_MANY_RESULTS: 422,
  PRECONDITION_REQUIRED: 428,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

/** Every code, in the order of {@link ServerErrorCode}'s statuses. */
export const ALL_CODES: readonly ServerErrorCode[] = Object.keys(STATUS).filter(isCode);

function isCode(text: string): text is ServerErrorCode {
  return Object.hasOwn(STATUS, text);
}

/** The status of the answers with a code. */
export function statusOfCode(code: ServerErrorCode): number {
  return STATUS[code];
}

/** For a database that is down or too busy, in seconds: soon enough, and not all the time. */
const OUTAGE_RETRY_AFTER = 5;

/** The problem document of a refusal. */
function problemOf(error: ServerError): Problem {
  const status = STATUS[error.code];
  const title = STATUS_CODES[status] ?? 'Error';
  return { type: 'about:blank', title, status, detail: error.message, code: error.code };
}

/** Answers with a problem document. Only defects of the server reach the log, never a body. */
export const answerProblem: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) {
    next(error);
    return;
  }
  const refusal = toServerError(error);
  const problem = problemOf(refusal);
  res.locals['code'] = problem.code;
  // pino-http logs this one. The errors of the body parser carry the body, secrets included.
  if (problem.status >= 500 && error instanceof Error) res.err = error;
  if (problem.status === 401) res.set('WWW-Authenticate', 'Bearer');
  const outage = problem.status === 503 ? OUTAGE_RETRY_AFTER : undefined;
  const retryAfter = refusal.retryAfter ?? outage;
  if (retryAfter !== undefined) res.set('Retry-After', String(retryAfter));
  res.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
};

/** What Express, its router and its body parser throw, by the status that they give it. */
function toServerError(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  switch (statusOf(error)) {
    case 413:
      return new ServerError('BODY_TOO_LARGE', 'The body is too long for this route.');
    case 415:
      return unsupportedMediaType();
    case 400:
      return new ServerError('INVALID_REQUEST', 'The request is malformed.');
    default:
      return new ServerError('INTERNAL', 'The server failed. It is not your request.');
  }
}

/** The refusal of a body that is not JSON by its headers. */
export function unsupportedMediaType(): ServerError {
  const message = 'Send the body as application/json, in UTF-8 and not compressed.';
  return new ServerError('UNSUPPORTED_MEDIA_TYPE', message);
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'status' in error ? error.status : undefined;
}
