import { z } from 'zod';
import type { AccountChanges } from '../../domain/account-changes.ts';
import type { Sessions } from '../../domain/sessions.ts';
import { jsonBody } from '../input.ts';
import type { Limiters } from '../rate-limit.ts';
import { NO_CONTENT, sessionRoute, type Route } from '../route.ts';
import { AuthSecret } from './credentials.ts';
import { underGuessLimits } from './guess-limits.ts';
import { ISSUED } from './sessions.ts';

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
      summary: 'Sets another secret, ends all sessions, and gives the one that is left.',
      takes: jsonBody(z.strictObject({ authSecret: AuthSecret, newAuthSecret: AuthSecret }), 1024),
      answers: ISSUED,
      errors: ['WRONG_CREDENTIALS'],
      changes: true,
      async answer({ input: { authSecret, newAuthSecret }, identity, address }) {
        const version = await underGuessLimits(limiters, { identity, address }, () =>
          changes.changeSecret(identity, authSecret, newAuthSecret),
        );
        return { body: sessions.issue({ identity, version }) };
      },
    }),
    sessionRoute({
      method: 'delete',
      path: '/v1/account',
      summary: 'Deletes secret and backup, revokes all cards, ends all sessions.',
      takes: jsonBody(z.strictObject({ authSecret: AuthSecret }), 1024),
      answers: NO_CONTENT,
      errors: ['WRONG_CREDENTIALS'],
      changes: true,
      async answer({ input: { authSecret }, identity, address }) {
        await underGuessLimits(limiters, { identity, address }, () =>
          changes.deleteAccount(identity, authSecret),
        );
        return { body: null };
      },
    }),
  ];
}
