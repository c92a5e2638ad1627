import { ServerError } from '../../domain/errors.ts';
import type { Store } from '../../domain/store.ts';
import { NO_BODY, publicRoute, type Route } from '../route.ts';

/** `GET /healthz`: the process answers. `GET /readyz`: so does its database. */
export function healthRoutes(store: Pick<Store, 'ping'>): readonly Route[] {
  const ok = { status: 200, body: { status: 'ok' } };
  return [
    publicRoute({ method: 'get', path: '/healthz', body: NO_BODY, answer: () => ok }),
    publicRoute({
      method: 'get',
      path: '/readyz',
      body: NO_BODY,
      async answer() {
        try {
          await store.ping();
          return ok;
        } catch (cause) {
          if (cause instanceof ServerError) throw cause;
          throw new ServerError('UNAVAILABLE', 'The database does not answer.', { cause });
        }
      },
    }),
  ];
}
