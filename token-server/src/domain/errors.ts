/**
 * Every reason for which this server refuses a request. The codes are part of the public contract:
 * programs tell refusals apart by them and never by a message.
 */
export type ServerErrorCode =
  /** The body, a path parameter or a query does not have the documented form. */
  | 'INVALID_REQUEST'
  /** The body is not JSON. */
  | 'INVALID_JSON'
  /** An identity breaks the identity rule of the protocol. */
  | 'INVALID_IDENTITY'
  /** The route needs a session and the request carries none. */
  | 'UNAUTHENTICATED'
  /** The session token is not one of this server's. */
  | 'SESSION_INVALID'
  /** The session has ended, by its time or because the account was changed; sign in again. */
  | 'SESSION_EXPIRED'
  /** Unknown identity or wrong secret; deliberately not told apart. */
  | 'WRONG_CREDENTIALS'
  /** What comes as if from Twilio does not have Twilio's signature. */
  | 'WEBHOOK_SIGNATURE_INVALID'
  /** A message that Twilio asks about is not encrypted: it is refused, and not stored there. */
  | 'NOT_ENCRYPTED'
  /** The card names another identity than the session. */
  | 'IDENTITY_MISMATCH'
  /** No such route. */
  | 'NOT_FOUND'
  /** The route exists, with another method. */
  | 'METHOD_NOT_ALLOWED'
  /** No card with this id was published here. */
  | 'CARD_NOT_FOUND'
  /** The identity has no backup. */
  | 'BACKUP_NOT_FOUND'
  /** The request does not say which backup it is to replace or delete: `If-Match`, `If-None-Match`. */
  | 'PRECONDITION_REQUIRED'
  /** There is another backup than the one it says, or there is one or none. */
  | 'PRECONDITION_FAILED'
  /**
   * The identity has signed up already, had an account that was deleted, or has cards or a backup from
   * another way of signing in.
   */
  | 'ACCOUNT_EXISTS'
  /** A key of the card appears in an earlier card. */
  | 'KEY_REUSED'
  /** The identity has as many live cards as it may have. */
  | 'CARD_LIMIT'
  /** The body is longer than the route allows. */
  | 'BODY_TOO_LARGE'
  /** The body is not sent as uncompressed `application/json` in UTF-8. */
  | 'UNSUPPORTED_MEDIA_TYPE'
  /** The card breaks a rule of the protocol. */
  | 'CARD_INVALID'
  /** The card carries a signature that its owner has no business to send. */
  | 'SIGNATURE_NOT_ALLOWED'
  /**
   * The card is to replace, or vouched for by, a card that is no live one of its identity; or it is to
   * be vouched for now, and is not live itself or has no room for it.
   */
  | 'LINK_INVALID'
  /** The revocation is none of this card, or signed by nobody who may revoke it. */
  | 'REVOCATION_INVALID'
  /** The card was revoked before. */
  | 'CARD_REVOKED'
  /** The card is dated further in the future than clocks may differ. */
  | 'CLOCK_SKEW'
  /** The answer would be too long; ask for fewer identities at a time. */
  | 'TOO_MANY_RESULTS'
  /** Too many requests; `Retry-After` says how many seconds to wait. */
  | 'RATE_LIMITED'
  /** A defect of the server. The log has the cause, the answer does not. */
  | 'INTERNAL'
  /**
   * The server cannot reach its database, or whoever signs for it, or these cannot do it now;
   * `Retry-After` says when to try again.
   */
  | 'UNAVAILABLE';

/** A refusal with a stable code. The message may be shown to whoever sent the request. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;
  /** When to try again, in whole seconds; for `RATE_LIMITED` and `UNAVAILABLE`. */
  readonly retryAfter: number | undefined;

  /**
   * @param code - what programs act on
   * @param message - one sentence for people, free of secrets and of other people's data
   * @param options - `retryAfter` in seconds, `cause` for the log
   */
  constructor(
    code: ServerErrorCode,
    message: string,
    options: { retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfter = options.retryAfter;
  }
}
