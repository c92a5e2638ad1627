import { parseEnvelope } from '../../src/protocol/header.ts';

/** For how many cards an envelope is that brings its key itself. */
export function slotsOf(text: string): number {
  const envelope = parseEnvelope(text);
  if (envelope.type === 'follower') throw new Error('A follower has no slots.');
  const { slots, slotLength } = envelope.slots;
  return slots.length / slotLength;
}
