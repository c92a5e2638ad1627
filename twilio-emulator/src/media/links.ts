import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Twilio's last "several minutes", says its reference of `getContentTemporaryUrl`. */
const LIFE_MS = 5 * 60_000;

/** Links to a file's bytes that work without a token, for a while. */
export interface TemporaryLinks {
  /** The query that lets whoever has it download the file of this sid. */
  readonly sign: (sid: string) => string;
  /** Was the query signed for this sid, and not too long ago? */
  readonly admits: (sid: string, query: URLSearchParams) => boolean;
}

/** Links under a fresh key; nothing is kept of those that were handed out. */
export function createTemporaryLinks(now: () => number): TemporaryLinks {
  const key = randomBytes(32);
  const mac = (sid: string, expires: string): Buffer =>
    createHmac('sha256', key).update(`${sid} ${expires}`).digest();
  return {
    sign(sid) {
      const expires = String(now() + LIFE_MS);
      return `Expires=${expires}&Signature=${mac(sid, expires).toString('base64url')}`;
    },
    admits(sid, query) {
      const expires = query.get('Expires') ?? '';
      const given = Buffer.from(query.get('Signature') ?? '', 'base64url');
      const right = mac(sid, expires);
      return (
        given.length === right.length && timingSafeEqual(given, right) && now() < Number(expires)
      );
    },
  };
}
