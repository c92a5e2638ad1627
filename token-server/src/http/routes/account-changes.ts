import type { Bytes } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import type { AccountChanges } from '../../domain/account-changes.ts';
import type { Sessions } from '../../domain/sessions.ts';
import type { Limiters } from '../rate-limit.ts';
import { sessionRoute, type BodySpec, type Route } from '../route.ts';
import { AuthSecret } from './credentials.ts';
import { underGuessLimits } from './guess-limits.ts';

const SECRETS: BodySpec<{ authSecret: Bytes; newAuthSecret: Bytes }> = {
  schema: z.strictObject({ authSecret: AuthSecret, newAuthSecret: AuthSecret }),
  limit: 1024,
};

const SECRET: BodySpec<{ authSecret: Bytes }> = {
  schema: z.strictObject({ authSecret: AuthSecret }),
  limit: 1024,
};

/**
 * `POST /v1/password` and `DELETE /v1/account`. Both take the secret beside the session: who finds
 * a device unlocked must not take the account over, or away.
 */
export function accountChangeRoutes(
  changes: AccountChanges,
  sessions: Sessions,
  limiters: Limiters,
): readonly Route[] {
  return [
    sessionRoute({
      method: 'post',
      path: '/v1/password',
      body: SECRETS,
      changes: true,
      async answer({ body: { authSecret, newAuthSecret }, identity, address }) {
        const version = await underGuessLimits(limiters, { identity, address }, () =>
          changes.changeSecret(identity, authSecret, newAuthSecret),
        );
        return { status: 200, body: sessions.issue({ identity, version }) };
      },
    }),
    sessionRoute({
      method: 'delete',
      path: '/v1/account',
      body: SECRET,
      changes: true,
      async answer({ body: { authSecret }, identity, address }) {
        await underGuessLimits(limiters, { identity, address }, () =>
          changes.deleteAccount(identity, authSecret),
        );
        return { status: 204, body: null };
      },
    }),
  ];
}
