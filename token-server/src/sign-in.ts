import type { Config } from './config.ts';
import { createAccountChanges, type AccountChangesParts } from './domain/account-changes.ts';
import { createAccounts } from './domain/accounts.ts';
import { createTokenReader } from './domain/foreign-tokens.ts';
import { createSessions } from './domain/sessions.ts';
import {
  byApplication,
  bySession,
  byToken,
  type Authenticate,
  type Identify,
} from './http/authenticate.ts';
import type { Limiters } from './http/rate-limit.ts';
import type { Route } from './http/route.ts';
import { accountChangeRoutes } from './http/routes/account-changes.ts';
import { accountRoutes } from './http/routes/accounts.ts';
import { sessionRoutes } from './http/routes/sessions.ts';

/** How this server knows people, and the routes that this takes. */
export interface SignIn {
  readonly authenticate: Authenticate;
  readonly routes: readonly Route[];
}

/** Parts that it is made of. */
export interface SignInParts extends Omit<AccountChangesParts, 'accounts'> {
  readonly limiters: Limiters;
}

/**
 * Makes the way of signing in. With another one than accounts of this server there are no routes for
 * accounts: somebody could sign up there under the identity of one of the application's people.
 *
 * @param identify - comes before the configuration
 */
export async function createSignIn(
  { auth, sessionSecret }: Pick<Config, 'auth' | 'sessionSecret'>,
  identify: Identify | undefined,
  { limiters, ...parts }: SignInParts,
): Promise<SignIn> {
  const { store, now } = parts;
  if (identify) return { authenticate: byApplication(identify), routes: [] };
  if (auth.kind === 'jwt') {
    // On demand: most servers have accounts of their own.
    const { createKeySet } = await import('./domain/key-set.ts');
    const keys = createKeySet(auth.jwksUrl, now);
    const read = createTokenReader({ rules: auth.rules, keys, now });
    return { authenticate: byToken(read), routes: [] };
  }
  const accounts = await createAccounts(parts);
  const sessions = createSessions({ store, secret: sessionSecret, now });
  const changes = createAccountChanges({ ...parts, accounts });
  return {
    authenticate: bySession(sessions),
    routes: [
      ...accountRoutes(accounts, limiters),
      ...sessionRoutes(accounts, sessions, limiters),
      ...accountChangeRoutes(changes, sessions, limiters),
    ],
  };
}
