import type { Accounts } from '../../domain/accounts.ts';
import type { Sessions } from '../../domain/sessions.ts';
import type { Limiters } from '../rate-limit.ts';
import { publicRoute, type Route } from '../route.ts';
import { CREDENTIALS } from './credentials.ts';

/** `POST /v1/sessions`: signs somebody in. */
export function sessionRoutes(
  accounts: Accounts,
  sessions: Sessions,
  limiters: Limiters,
): readonly Route[] {
  const { signInByAddress, signInByPair, signInByIdentity } = limiters;
  return [
    publicRoute({
      method: 'post',
      path: '/v1/sessions',
      body: CREDENTIALS,
      async answer({ body: { identity, authSecret }, address }) {
        // The address cannot contain a space, so no two pairs share a key.
        const pair = `${address} ${identity}`;
        // Counted before the secret is checked: a hundred guesses at once are a hundred guesses.
        await signInByAddress.consume(address);
        await signInByPair.consume(pair);
        await signInByIdentity.consume(identity);
        await accounts.check(identity, authSecret);
        await signInByPair.reset(pair);
        await signInByIdentity.giveBack(identity);
        return { status: 200, body: sessions.issue(identity) };
      },
    }),
  ];
}
