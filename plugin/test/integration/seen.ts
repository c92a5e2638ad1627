import type { RunningEmulator } from 'twilio-chat-emulator';

/** All that a Twilio holds, and what clients sent to it, as one text to search. */
export function seenBy({ inspect }: RunningEmulator): string {
  return [
    inspect.dump(),
    JSON.stringify(inspect.received()),
    ...inspect.media().map(({ bytes }) => Buffer.from(bytes).toString('latin1')),
  ].join('\n');
}
