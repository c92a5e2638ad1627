import { z } from 'zod';
import { issueTwilioToken, type TwilioCredentials } from '../../domain/twilio-tokens.ts';
import { NOTHING } from '../input.ts';
import { sessionRoute, type Route } from '../route.ts';
import { Time } from '../schemas.ts';

const Issued = z.strictObject({ token: z.string(), identity: z.string(), expiresAt: Time });

/** `GET /v1/twilio-token`: an access token for whoever is signed in. */
export function twilioTokenRoutes(credentials: TwilioCredentials): readonly Route[] {
  return [
    sessionRoute({
      method: 'get',
      path: '/v1/twilio-token',
      summary: "A Twilio access token for the session's identity.",
      takes: NOTHING,
      answers: { status: 200, schema: Issued },
      answer: ({ identity }) => ({ body: issueTwilioToken(credentials, identity) }),
    }),
  ];
}
