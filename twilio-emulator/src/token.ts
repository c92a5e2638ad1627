import jwt from 'jsonwebtoken';
import type { Credentials } from './config.ts';
import { isRecord } from './json.ts';
import { MAX_NAME_LENGTH } from './limits.ts';

/** Whose token it is and until when (milliseconds), or why it is refused. */
export type TokenCheck =
  | { readonly ok: true; readonly identity: string; readonly expiresAt: number }
  | { readonly ok: false; readonly code: number; readonly description: string };

/** Twilio takes no token that lives longer, https://www.twilio.com/docs/api/errors/20157. */
const LONGEST_LIFE_S = 24 * 60 * 60;

/**
 * Checks an access token the way Twilio does: signature (HS256 with the API key's secret and
 * nothing else, whatever the token's header says), expiry, issuer, subject and the chat grant.
 * The codes are those of https://www.twilio.com/docs/api/errors, 20101 to 20107 and 20157.
 */
export function checkToken(token: unknown, config: Credentials, now: number): TokenCheck {
  if (typeof token !== 'string') return refused(20101, 'Invalid Access Token');
  const verified = verify(token, config.apiSecret, Math.floor(now / 1000));
  return 'claims' in verified ? checkClaims(verified.claims, config) : verified;
}

function verify(
  token: string,
  secret: string,
  clockTimestamp: number,
): { claims: jwt.JwtPayload } | (TokenCheck & { ok: false }) {
  const header = headerOf(token);
  if (header === undefined) return refused(20101, 'Invalid Access Token');
  if (header.alg !== 'HS256' || header.cty !== 'twilio-fpa;v=1') {
    return refused(20102, 'Invalid Access Token header');
  }
  try {
    const claims = jwt.verify(token, secret, { algorithms: ['HS256'], clockTimestamp });
    return typeof claims === 'string' ? refused(20101, 'Invalid Access Token') : { claims };
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError) return refused(20104, 'Access Token expired');
    if (error instanceof jwt.NotBeforeError) return refused(20105, 'Access Token not yet valid');
    return refused(20107, 'Invalid Access Token signature');
  }
}

/** `jwt.decode` returns null for some malformed tokens and throws for others. */
function headerOf(token: string): jwt.JwtHeader | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header;
  } catch {
    return undefined;
  }
}

function checkClaims(claims: jwt.JwtPayload, config: Credentials): TokenCheck {
  const { exp, iat } = claims;
  if (claims.iss !== config.apiKey || claims.sub !== config.accountSid) {
    return refused(20103, 'Invalid Access Token issuer/subject');
  }
  if (exp === undefined) return refused(20104, 'Access Token has no expiration date');
  if (iat !== undefined && exp - iat > LONGEST_LIFE_S) {
    return refused(20157, 'Expiration time exceeds the maximum of 24 hours');
  }
  const identity = grantedIdentity(claims, config.serviceSid);
  if (identity === null) return refused(20106, 'Invalid Access Token grants');
  return { ok: true, identity, expiresAt: exp * 1000 };
}

function grantedIdentity(claims: jwt.JwtPayload, serviceSid: string): string | null {
  const grants: unknown = claims['grants'];
  if (!isRecord(grants)) return null;
  const { identity, chat } = grants;
  if (!isRecord(chat) || chat['service_sid'] !== serviceSid) return null;
  if (typeof identity !== 'string' || identity === '') return null;
  return identity.length > MAX_NAME_LENGTH ? null : identity;
}

function refused(code: number, description: string): TokenCheck & { ok: false } {
  return { ok: false, code, description };
}
