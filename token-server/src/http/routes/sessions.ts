import type { Accounts } from '../../domain/accounts.ts';
import type { Sessions } from '../../domain/sessions.ts';
import type { Limiters } from '../rate-limit.ts';
import { publicRoute, type Route } from '../route.ts';
import { CREDENTIALS } from './credentials.ts';
import { underGuessLimits } from './guess-limits.ts';

/** `POST /v1/sessions`: signs somebody in. */
export function sessionRoutes(
  accounts: Accounts,
  sessions: Sessions,
  limiters: Limiters,
): readonly Route[] {
  return [
    publicRoute({
      method: 'post',
      path: '/v1/sessions',
      body: CREDENTIALS,
      async answer({ body: { identity, authSecret }, address }) {
        const { sessionVersion } = await underGuessLimits(limiters, { identity, address }, () =>
          accounts.check(identity, authSecret),
        );
        return { status: 200, body: sessions.issue({ identity, version: sessionVersion }) };
      },
    }),
  ];
}
