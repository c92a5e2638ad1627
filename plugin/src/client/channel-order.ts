import type { CardId } from '../protocol/identifiers.ts';
import type { Anomaly } from './message-encryption.ts';

/** What this run of the application has seen of a channel, and in which order. In memory only. */
export interface ChannelOrder {
  /** A message was read at this index, whatever it was: from now on nothing hides there. */
  loaded(index: number): void;
  /** Places a message of a card; what its number and its place say about its neighbours. */
  place(cardId: CardId, sequence: number, index: number): readonly Anomaly[];
}

interface Placed {
  readonly sequence: number;
  readonly index: number;
}

/** The order of one channel, of which nothing was seen yet. */
export function channelOrder(): ChannelOrder {
  const indexes = new Set<number>();
  const chains = new Map<CardId, Placed[]>();

  function allLoaded(from: number, to: number): boolean {
    for (let index = from + 1; index < to; index++) if (!indexes.has(index)) return false;
    return true;
  }

  // Only what was loaded whole proves that something is missing; a removed message is not loaded.
  function between(one: Placed, other: Placed): readonly Anomaly[] {
    if (one.index > other.index) return [{ code: 'OUT_OF_ORDER' }];
    if (other.sequence === one.sequence + 1 || !allLoaded(one.index, other.index)) return [];
    return [{ code: 'GAP', from: one.sequence + 1, to: other.sequence - 1 }];
  }

  return {
    loaded: (index) => void indexes.add(index),
    place(cardId, sequence, index) {
      const chain = chains.get(cardId) ?? [];
      chains.set(cardId, chain);
      const placed = { sequence, index };
      const after = chain.findLastIndex((one) => one.sequence <= sequence) + 1;
      // A second message with this number is a fork; the first keeps its place in the order.
      const isKnown = chain[after - 1]?.sequence === sequence;
      const [before, next] = [chain[after - (isKnown ? 2 : 1)], chain[after]];
      if (!isKnown) chain.splice(after, 0, placed);
      const anomalies = [
        ...(before ? between(before, placed) : []),
        ...(next ? between(placed, next) : []),
      ];
      const outOfOrder = anomalies.filter(({ code }) => code === 'OUT_OF_ORDER');
      return outOfOrder.length > 1 ? outOfOrder.slice(0, 1) : anomalies;
    },
  };
}
