/** Bounds of the protocol and of this server, in one place. Times are milliseconds. */

/** Live cards one identity may have: one a device, with room to replace them. */
export const MAX_LIVE_CARDS = 16;

/** Longest snapshot of a card, in bytes. */
export const MAX_SNAPSHOT_BYTES: number = 8 * 1024;

/** How far a device's clock may run ahead of ours. */
export const MAX_CLOCK_SKEW: number = 5 * 60 * 1000;

/** Most identities in one search. */
export const MAX_SEARCH_IDENTITIES = 1000;

/**
 * Most characters of contents of the log in one answer. A thousand identities with full histories
 * would be gigabytes; a single identity always stays below this.
 */
export const MAX_SEARCH_CHARACTERS: number = 16 * 1024 * 1024;

/** Most entries of the log about one identity: each lookup answers all of them. */
export const MAX_HISTORY = 4096;

/**
 * Most characters of their contents. With the revocations that are taken nevertheless, that is less
 * than one answer holds: nobody can grow out of being looked up, and take a whole group along.
 */
export const MAX_HISTORY_CHARACTERS: number = 8 * 1024 * 1024;

/** Most entries of the log in one answer. */
export const MAX_LOG_RANGE = 1000;

/** Longest backup, in bytes. */
export const MAX_BACKUP_BYTES: number = 256 * 1024;

/** How long somebody stays signed in. */
export const SESSION_LIFETIME: number = 60 * 60 * 1000;

/** How long a Twilio access token lasts. */
export const TWILIO_TOKEN_LIFETIME: number = 60 * 60 * 1000;
