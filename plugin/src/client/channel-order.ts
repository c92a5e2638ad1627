import type { CardId } from '../protocol/identifiers.ts';
import type { Anomaly } from './message-encryption.ts';

/** A message with its number, where it stands. */
export interface Placed {
  readonly cardId: CardId;
  readonly sequence: number;
  readonly index: number;
  /** Whether it is not shown, as a key message: what is missing beside it is told elsewhere. */
  readonly hidden: boolean;
}

/** What this run of the application has seen of a channel, and in which order. In memory only. */
export interface ChannelOrder {
  /** A message was read at this index, whatever it was: from now on nothing hides there. */
  loaded(index: number): void;
  /** Remembers where a message stands. */
  place(message: Placed): void;
  /** What the number and the place of a message say about its neighbours. */
  anomalies(message: Placed): readonly Anomaly[];
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

  // The neighbour, and behind it those that nobody sees.
  function* neighbours(message: Placed, step: 1 | -1): Generator<readonly [Placed, Placed]> {
    const chain = chains.get(message.cardId) ?? [];
    let near = message;
    const start =
      step === 1
        ? chain.findIndex(({ sequence }) => sequence > message.sequence)
        : chain.findLastIndex(({ sequence }) => sequence < message.sequence);
    for (let at = start; at >= 0; at += step) {
      const far = chain[at];
      if (!far) return;
      yield step === 1 ? [near, far] : [far, near];
      if (!far.hidden) return;
      near = far;
    }
  }

  return {
    loaded: (index) => void indexes.add(index),

    place(message) {
      const chain = chains.get(message.cardId) ?? [];
      chains.set(message.cardId, chain);
      const after = chain.findLastIndex(({ sequence }) => sequence <= message.sequence) + 1;
      // A second message with this number is a fork; the first keeps its place in the order.
      if (chain[after - 1]?.sequence !== message.sequence) chain.splice(after, 0, message);
    },

    anomalies(message) {
      const pairs = [...neighbours(message, -1), ...neighbours(message, 1)];
      const found = pairs.flatMap(([one, other]) => between(one, other));
      const gaps = found.filter(({ code }) => code === 'GAP');
      return gaps.length < found.length ? [{ code: 'OUT_OF_ORDER' }, ...gaps] : gaps;
    },
  };
}
