import { z } from 'zod';
import type { Accounts } from '../../domain/accounts.ts';
import type { IssuedSession, Sessions } from '../../domain/sessions.ts';
import type { Limiters } from '../rate-limit.ts';
import { publicRoute, type AnswerSpec, type Route } from '../route.ts';
import { Time } from '../schemas.ts';
import { CREDENTIALS } from './credentials.ts';
import { underGuessLimits } from './guess-limits.ts';

/** The answer to whoever signed in. */
export const ISSUED: AnswerSpec<IssuedSession> = {
  status: 200,
  schema: z.strictObject({ token: z.string(), expiresAt: Time }),
};

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
      summary: 'Signs somebody in.',
      takes: CREDENTIALS,
      answers: ISSUED,
      errors: ['INVALID_IDENTITY', 'WRONG_CREDENTIALS'],
      async answer({ input: { identity, authSecret }, address }) {
        const { sessionVersion } = await underGuessLimits(limiters, { identity, address }, () =>
          accounts.check(identity, authSecret),
        );
        return { body: sessions.issue({ identity, version: sessionVersion }) };
      },
    }),
  ];
}
