/**
 * Whether something of `at` is younger than `limit` milliseconds at `now`. A clock that was set back
 * makes everything old: what must be renewed in time is renewed rather than kept for ever.
 */
export function isYounger(at: number, limit: number, now: number): boolean {
  return now >= at && now - at < limit;
}
