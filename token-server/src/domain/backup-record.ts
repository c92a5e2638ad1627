/** What somebody keeps here for their next device: sealed, so that only they can open it. */
export interface BackupRecord {
  /** Tells it from every other one: the SHA-256 of its bytes, in base64url. */
  readonly etag: string;
  /** In base64url. */
  readonly backup: string;
}
