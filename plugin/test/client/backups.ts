import type { BackupStore, StoredBackup } from 'twilio-chat-encryption';

/** Keeps one backup, and can be told to do something else. */
export class Backups implements BackupStore {
  stored: StoredBackup | null = null;
  written = 0;
  /** Happens before each write, as if another device were faster. */
  before: () => void = () => undefined;
  /** Whether what is written is kept. */
  keeps = true;

  read(): Promise<StoredBackup | null> {
    return Promise.resolve(this.stored);
  }

  write(backup: string, tag: string | null): Promise<boolean> {
    this.before();
    if ((this.stored?.tag ?? null) !== tag) return Promise.resolve(false);
    this.written += 1;
    if (this.keeps) this.stored = { backup, tag: `tag ${this.written}` };
    return Promise.resolve(true);
  }

  remove(tag: string): Promise<boolean> {
    this.before();
    if (this.stored?.tag !== tag) return Promise.resolve(false);
    this.stored = null;
    return Promise.resolve(true);
  }
}
