import { z } from 'zod';
import type { Backups } from '../../domain/backups.ts';
import { IF_MATCH, IF_MATCH_OR_NONE, requireKnown, requireKnownEtag } from '../conditions.ts';
import { jsonBody, NOTHING } from '../input.ts';
import { NO_CONTENT, sessionRoute, type Route } from '../route.ts';
import { Base64url, Empty } from '../schemas.ts';

const Backup = z.strictObject({ backup: Base64url });

// The longest backup in base64url is 342 KiB.
const LIMIT = 384 * 1024;

const PATH = '/v1/backup';

/** Get, put and delete the backup of whoever is signed in. */
export function backupRoutes(backups: Backups): readonly Route[] {
  return [
    sessionRoute({
      method: 'get',
      path: PATH,
      summary: 'The backup of whoever is signed in.',
      takes: NOTHING,
      answers: { status: 200, schema: Backup, hasEtag: true },
      errors: ['BACKUP_NOT_FOUND'],
      async answer({ identity }) {
        const { backup, etag } = await backups.get(identity);
        return { body: { backup }, etag };
      },
    }),
    sessionRoute({
      method: 'put',
      path: PATH,
      summary:
        'Stores a backup instead of the one that its owner knows. Send one of the conditions.',
      takes: jsonBody(Backup, LIMIT),
      headers: IF_MATCH_OR_NONE,
      answers: { status: 200, schema: Empty, hasEtag: true },
      errors: ['PRECONDITION_REQUIRED', 'PRECONDITION_FAILED'],
      changes: true,
      async answer({ input: { backup }, conditions, session }) {
        const etag = await backups.put(session, backup, requireKnown(conditions));
        return { body: {}, etag };
      },
    }),
    sessionRoute({
      method: 'delete',
      path: PATH,
      summary: 'Deletes the backup that its owner knows.',
      takes: NOTHING,
      headers: IF_MATCH,
      answers: NO_CONTENT,
      errors: ['BACKUP_NOT_FOUND', 'PRECONDITION_REQUIRED', 'PRECONDITION_FAILED'],
      changes: true,
      async answer({ conditions, session }) {
        await backups.delete(session, requireKnownEtag(conditions));
        return { body: null };
      },
    }),
  ];
}
