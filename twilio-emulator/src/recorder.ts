import type { Frame } from './framing.ts';
import type { JsonRecord } from './json.ts';

/** A frame that came from a client, as it was on the wire. */
export interface ReceivedFrame {
  /** Whose it was; absent before the client's token was accepted. */
  readonly identity: string | undefined;
  readonly header: JsonRecord;
  readonly payload: string;
}

/** Remembers the last frames. */
export interface Recorder {
  record(identity: string | undefined, frame: Frame): void;
  readonly frames: () => readonly ReceivedFrame[];
}

/** Remembers the last `size` frames; none if it is 0. */
export function createRecorder(size: number): Recorder {
  const kept: ReceivedFrame[] = [];
  return {
    record(identity, { header, payload }) {
      if (size === 0) return;
      if (kept.length >= size) kept.shift();
      kept.push({ identity, header, payload });
    },
    frames: () => [...kept],
  };
}
