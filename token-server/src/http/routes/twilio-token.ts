import { issueTwilioToken, type TwilioCredentials } from '../../domain/twilio-tokens.ts';
import { NO_BODY, sessionRoute, type Route } from '../route.ts';

/** `GET /v1/twilio-token`: an access token for whoever is signed in. */
export function twilioTokenRoutes(credentials: TwilioCredentials): readonly Route[] {
  return [
    sessionRoute({
      method: 'get',
      path: '/v1/twilio-token',
      body: NO_BODY,
      answer: ({ identity }) => ({ status: 200, body: issueTwilioToken(credentials, identity) }),
    }),
  ];
}
