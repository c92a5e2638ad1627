import type { CardRecord } from './card-record.ts';

/** What became of a card: `superseded` by one that replaced it. */
export type CardStatus = 'live' | 'superseded' | 'revoked';

/** Whether a card is live, or why not. */
export function cardStatus({ endedAt, revocation }: CardRecord): CardStatus {
  if (revocation !== null) return 'revoked';
  return endedAt === null ? 'live' : 'superseded';
}
