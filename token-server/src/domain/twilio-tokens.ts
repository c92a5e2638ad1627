import jwt from 'jsonwebtoken';
import AccessToken from 'twilio/lib/jwt/AccessToken.js';
import type { Identity } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { TWILIO_TOKEN_LIFETIME } from './limits.ts';

const Expiry = z.object({ exp: z.int() });

/** What signs Twilio access tokens. */
export interface TwilioCredentials {
  /** `AC…` */
  readonly accountSid: string;
  /** `SK…` */
  readonly apiKey: string;
  readonly apiSecret: string;
  /** `IS…` */
  readonly serviceSid: string;
  /** `CR…` */
  readonly pushCredentialSid?: string;
  /** Of the account, when it is not us1: `ie1`, for example. */
  readonly region?: string;
  /** How long a token is good for, in seconds: up to a day. Default: an hour. */
  readonly ttl?: number;
}

/** An access token for a Twilio SDK. */
export interface IssuedTwilioToken {
  readonly token: string;
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Issues a Twilio access token with the chat grant, by the system's clock (Twilio's library takes no
 * other).
 *
 * @param identity - of the session. Never one that a request merely names.
 */
export function issueTwilioToken(
  credentials: TwilioCredentials,
  identity: Identity,
): IssuedTwilioToken {
  const { accountSid, apiKey, apiSecret, serviceSid, pushCredentialSid, region } = credentials;
  const accessToken = new AccessToken(accountSid, apiKey, apiSecret, {
    identity,
    ttl: credentials.ttl ?? TWILIO_TOKEN_LIFETIME / 1000,
    ...(region !== undefined && { region }),
  });
  const grant = { serviceSid, ...(pushCredentialSid === undefined ? {} : { pushCredentialSid }) };
  accessToken.addGrant(new AccessToken.ChatGrant(grant));
  const token = accessToken.toJwt();
  // Read back rather than computed, so that it is what Twilio will act on.
  return { token, identity, expiresAt: Expiry.parse(jwt.decode(token)).exp * 1000 };
}
