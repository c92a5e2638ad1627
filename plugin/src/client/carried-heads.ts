import type { ChannelSid, Identity } from '../protocol/identifiers.ts';
import { treeOf, type LogHead } from '../protocol/log/head.ts';

/**
 * The heads of the log that messages of this device carried into each channel, and to whom: who comes later was
 * not told. Forgets the oldest.
 */
export interface CarriedHeads {
  has(channelSid: ChannelSid, head: LogHead, identity: Identity): boolean;
  add(channelSid: ChannelSid, head: LogHead, identities: readonly Identity[]): void;
}

/** Whether somebody was told of a head. */
export type IsCarried = (head: LogHead, identity: Identity) => boolean;

const MAX_OF_CHANNEL = 64;

/** None yet: of another run it is not known who read its messages. */
export function carriedHeads(): CarriedHeads {
  const carried = new Map<ChannelSid, Map<string, Set<Identity>>>();
  return {
    has: (channelSid, head, identity) =>
      carried.get(channelSid)?.get(treeOf(head))?.has(identity) ?? false,

    add(channelSid, head, identities) {
      const trees = carried.get(channelSid) ?? new Map<string, Set<Identity>>();
      carried.set(channelSid, trees);
      const told = trees.get(treeOf(head)) ?? new Set();
      trees.set(treeOf(head), told);
      for (const identity of identities) told.add(identity);
      const [oldest] = trees.keys();
      if (trees.size > MAX_OF_CHANNEL && oldest !== undefined) trees.delete(oldest);
    },
  };
}
