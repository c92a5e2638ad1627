import type { Request } from 'express';
import { z } from 'zod';
import { ServerError } from '../domain/errors.ts';

/** The headers of RFC 9110 that say what somebody knows of what they are about to change. */
export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** Those of a request, as they were sent. */
export function conditionsOf({ headers }: Request): Conditions {
  return { ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] };
}

/** An etag as it stands in a header. */
export function quoted(etag: string): string {
  return `"${etag}"`;
}

// A weak one is never the same as another one where bytes matter: section 8.8.3.2.
const ETAG = /^(W\/)?"([\x21\x23-\x7e]*)"$/;

const Known = z.string().regex(/^"[\x21\x23-\x7e]*"$/);

/** The headers that {@link requireKnown} reads, for the document: one of them is required. */
export const IF_MATCH_OR_NONE: z.ZodType = z.object({
  'If-Match': Known.optional(),
  'If-None-Match': z.literal('*').optional(),
});

/** That of {@link requireKnownEtag}. */
export const IF_MATCH: z.ZodType = z.object({ 'If-Match': Known });

/**
 * What the sender of a write knows: the etag of what there is, or null for nothing. An etag that
 * none of ours has is no mistake of form: it says that the sender knows something else.
 *
 * @throws ServerError `PRECONDITION_REQUIRED` without conditions, `PRECONDITION_FAILED` for a weak
 *   etag, `INVALID_REQUEST` for others than exactly one `If-Match: "etag"` or `If-None-Match: *`
 */
export function requireKnown(conditions: Conditions): string | null {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch === undefined && ifNoneMatch === undefined) throw required();
  if (ifMatch === undefined && ifNoneMatch === '*') return null;
  if (ifMatch === undefined || ifNoneMatch !== undefined) throw malformed();
  return requireEtag(ifMatch);
}

/**
 * The same for what can only be done to something that there is.
 *
 * @throws ServerError as {@link requireKnown}
 */
export function requireKnownEtag({ ifMatch, ifNoneMatch }: Conditions): string {
  if (ifNoneMatch !== undefined) throw malformed();
  if (ifMatch === undefined) throw required();
  return requireEtag(ifMatch);
}

function requireEtag(header: string): string {
  const [, weak, etag] = ETAG.exec(header) ?? [];
  if (etag === undefined) throw malformed();
  if (weak === undefined) return etag;
  throw new ServerError('PRECONDITION_FAILED', 'A weak etag matches nothing.');
}

function required(): ServerError {
  const message = 'Say what you know: If-Match with the ETag, or If-None-Match: * for the first.';
  return new ServerError('PRECONDITION_REQUIRED', message);
}

function malformed(): ServerError {
  const message =
    'Send one If-Match with one ETag in its quotes, or If-None-Match: * for the first.';
  return new ServerError('INVALID_REQUEST', message);
}
