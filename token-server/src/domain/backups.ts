import { createHash } from 'node:crypto';
import { base64url, type Identity } from 'twilio-chat-encryption/protocol';
import type { BackupRecord } from './backup-record.ts';
import { ServerError } from './errors.ts';
import { MAX_BACKUP_BYTES } from './limits.ts';
import { requireStillCurrent, type Session } from './sessions.ts';
import type { Store } from './store.ts';

/**
 * One backup for each identity. To the server it is bytes: whether they can be opened, and are newer
 * than those before, is for their owner to check.
 */
export interface Backups {
  /** @throws ServerError `BACKUP_NOT_FOUND` */
  get(identity: Identity): Promise<BackupRecord>;
  /**
   * Stores a backup in place of the one that its owner knows.
   *
   * @param known - its etag, or null for none
   * @returns the etag of the new one
   * @throws ServerError `INVALID_REQUEST`, `BODY_TOO_LARGE`, `SESSION_EXPIRED`, or `PRECONDITION_FAILED`
   *   when there is another one; nothing is stored then
   */
  put(session: Session, backup: string, known: string | null): Promise<string>;
  /**
   * Deletes the backup that its owner knows.
   *
   * @throws ServerError `SESSION_EXPIRED`, `BACKUP_NOT_FOUND` or `PRECONDITION_FAILED`
   */
  delete(session: Session, known: string): Promise<void>;
}

/** Makes the backups. */
export function createBackups(store: Pick<Store, 'findBackup' | 'transaction'>): Backups {
  return {
    async get(identity) {
      const found = await store.findBackup(identity);
      if (found === null) throw notFound();
      return found;
    },

    async put(session, backup, known) {
      const { identity } = session;
      const etag = etagOf(requireBytes(backup));
      await store.transaction(async (transaction) => {
        await requireStillCurrent(session, transaction);
        if ((await transaction.backupEtag(identity)) !== known) throw anotherOne();
        await transaction.putBackup(identity, { etag, backup });
      });
      return etag;
    },

    async delete(session, known) {
      const { identity } = session;
      await store.transaction(async (transaction) => {
        await requireStillCurrent(session, transaction);
        const etag = await transaction.backupEtag(identity);
        if (etag === null) throw notFound();
        if (etag !== known) throw anotherOne();
        await transaction.deleteBackup(identity);
      });
    },
  };
}

function requireBytes(backup: string): Uint8Array {
  const bytes = base64url.decode(backup);
  if (bytes === null || bytes.length === 0) {
    throw new ServerError('INVALID_REQUEST', 'backup: expected bytes in base64url');
  }
  if (bytes.length > MAX_BACKUP_BYTES) {
    throw new ServerError('BODY_TOO_LARGE', `A backup has at most ${MAX_BACKUP_BYTES} bytes.`);
  }
  return bytes;
}

// Of the bytes and not a number: when the same ones come back, whoever replaces them loses nothing.
function etagOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

function notFound(): ServerError {
  return new ServerError('BACKUP_NOT_FOUND', 'There is no backup.');
}

function anotherOne(): ServerError {
  const message = 'There is another backup than the one you know, or none. Get it first.';
  return new ServerError('PRECONDITION_FAILED', message);
}
