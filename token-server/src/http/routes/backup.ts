import { z } from 'zod';
import type { Backups } from '../../domain/backups.ts';
import { requireKnown, requireKnownEtag } from '../conditions.ts';
import { NO_BODY, sessionRoute, type BodySpec, type Route } from '../route.ts';

const BACKUP: BodySpec<{ backup: string }> = {
  schema: z.strictObject({ backup: z.string() }),
  // The longest backup in base64url is 342 KiB.
  limit: 384 * 1024,
};

const PATH = '/v1/backup';

/** Get, put and delete the backup of whoever is signed in. */
export function backupRoutes(backups: Backups): readonly Route[] {
  return [
    sessionRoute({
      method: 'get',
      path: PATH,
      body: NO_BODY,
      async answer({ identity }) {
        const { backup, etag } = await backups.get(identity);
        return { status: 200, body: { backup }, etag };
      },
    }),
    sessionRoute({
      method: 'put',
      path: PATH,
      body: BACKUP,
      changes: true,
      async answer({ body: { backup }, conditions, session }) {
        const etag = await backups.put(session, backup, requireKnown(conditions));
        return { status: 200, body: {}, etag };
      },
    }),
    sessionRoute({
      method: 'delete',
      path: PATH,
      body: NO_BODY,
      changes: true,
      async answer({ conditions, session }) {
        await backups.delete(session, requireKnownEtag(conditions));
        return { status: 204, body: null };
      },
    }),
  ];
}
