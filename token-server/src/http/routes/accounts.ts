import { z } from 'zod';
import type { Accounts } from '../../domain/accounts.ts';
import type { Limiters } from '../rate-limit.ts';
import { publicRoute, type Route } from '../route.ts';
import { CREDENTIALS } from './credentials.ts';

/** `POST /v1/accounts`: signs somebody up. */
export function accountRoutes(accounts: Accounts, limiters: Limiters): readonly Route[] {
  return [
    publicRoute({
      method: 'post',
      path: '/v1/accounts',
      summary: 'Signs somebody up.',
      takes: CREDENTIALS,
      answers: { status: 201, schema: z.strictObject({ identity: z.string() }) },
      errors: ['INVALID_IDENTITY', 'ACCOUNT_EXISTS'],
      async answer({ input: { identity, authSecret }, address }) {
        await limiters.signUpByAddress.consume(address);
        await accounts.signUp(identity, authSecret);
        return { body: { identity } };
      },
    }),
  ];
}
