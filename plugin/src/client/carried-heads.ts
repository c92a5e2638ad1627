import type { ChannelSid } from '../protocol/identifiers.ts';
import { treeOf, type LogHead } from '../protocol/log/head.ts';

/** The heads of the log that messages of this device carried into each channel. Forgets the oldest. */
export interface CarriedHeads {
  has(channelSid: ChannelSid, head: LogHead): boolean;
  add(channelSid: ChannelSid, head: LogHead): void;
}

const MAX_OF_CHANNEL = 64;

/** None yet: of another run it is not known who read its messages. */
export function carriedHeads(): CarriedHeads {
  const carried = new Map<ChannelSid, Set<string>>();
  return {
    has: (channelSid, head) => carried.get(channelSid)?.has(treeOf(head)) ?? false,

    add(channelSid, head) {
      const trees = carried.get(channelSid) ?? new Set();
      carried.set(channelSid, trees);
      trees.add(treeOf(head));
      const [oldest] = trees;
      if (trees.size > MAX_OF_CHANNEL && oldest !== undefined) trees.delete(oldest);
    },
  };
}
