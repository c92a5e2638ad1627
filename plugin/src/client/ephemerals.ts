import type { ChannelSid } from '../protocol/identifiers.ts';
import type { RandomSource } from '../protocol/primitives.ts';
import { createEphemeral, type Ephemeral } from '../protocol/slot.ts';
import { isYounger } from './age.ts';

// Slot keys live as long as the ephemeral: the bounds say how much one leaked ephemeral opens.
const EPHEMERAL_MILLISECONDS = 60 * 60_000;
const EPHEMERAL_ENVELOPES = 1000;

/** Gives the sender's ephemeral key for a channel; in memory only. */
export function ephemerals(
  random: RandomSource,
  now: () => number,
): (channelSid: ChannelSid) => Promise<Ephemeral> {
  const current = new Map<ChannelSid, { ephemeral: Ephemeral; madeAt: number; left: number }>();
  return async (channelSid) => {
    const known = current.get(channelSid);
    if (known && known.left > 0 && isYounger(known.madeAt, EPHEMERAL_MILLISECONDS, now())) {
      known.left -= 1;
      return known.ephemeral;
    }
    // Those of channels in which nobody writes any more need not stay in memory.
    for (const [sid, { madeAt }] of current) {
      if (!isYounger(madeAt, EPHEMERAL_MILLISECONDS, now())) current.delete(sid);
    }
    const ephemeral = await createEphemeral(random);
    current.set(channelSid, { ephemeral, madeAt: now(), left: EPHEMERAL_ENVELOPES - 1 });
    return ephemeral;
  };
}
