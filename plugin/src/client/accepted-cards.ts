import type { Card } from '../protocol/card.ts';
import { acceptCard, type AcceptCard } from '../protocol/log/history.ts';

// A directory must not fill a page's memory.
const MAX_KEPT = 5000;

/** Accepts cards, each once: the same ones come with every lookup, and signatures take time. */
export function acceptedCards(): AcceptCard {
  const accepted = new Map<string, Promise<Card | null>>();
  return (exported, appKeys) => {
    const known = accepted.get(exported);
    if (known) return known;
    const accepting = acceptCard(exported, appKeys);
    if (accepted.size >= MAX_KEPT) accepted.clear();
    accepted.set(exported, accepting);
    // A failure may be the platform's, not the card's: it is found out anew.
    accepting.catch(() => accepted.delete(exported));
    return accepting;
  };
}
