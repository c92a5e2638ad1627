/**
 * The tabs of a device remember together what they saw. One that hears of an edit a moment after another
 * tab did shows an older version than what is remembered, as if Twilio had taken the edit back: that is
 * said only when the newer version does not come.
 */
import type { JudgedMessage, ReceivedMessage } from '../../client/judged.ts';

// Meanwhile the messages behind it wait.
const PATIENCE_MILLISECONDS = 2000;

/** What a tab waits for, of messages of a channel. */
export interface CatchUpContext<Message> {
  readonly accept: (judged: readonly JudgedMessage[]) => Promise<readonly ReceivedMessage[]>;
  /** The envelope that the SDK has of a message by now. */
  readonly textOf: (message: Message) => string;
  /** The latest revision of a message that this tab knows of; -1 of one that it never had. */
  readonly knownRevision: (message: Message) => number;
  readonly closed: AbortSignal;
}

/** Accepts messages when this tab has caught up with the others. */
export interface CatchUp<Message> {
  /**
   * What the messages are: once more, when one of them changed while it was behind what another tab saw.
   * @param judging what they were judged to be
   * @param judge judges them as the SDK has them by then
   */
  readonly accepted: (
    messages: readonly Message[],
    judging: Promise<readonly JudgedMessage[]>,
    judge: () => Promise<readonly JudgedMessage[]>,
  ) => Promise<readonly ReceivedMessage[]>;
  /** The SDK told of a change of some message. */
  readonly changed: () => void;
}

/** Of one channel. Errors are those of `accept`. */
export function catchUp<Message>(context: CatchUpContext<Message>): CatchUp<Message> {
  const { accept, textOf, knownRevision, closed } = context;
  const watchers = new Set<() => void>();

  function isBehind(message: Message, { encryption, editable }: ReceivedMessage): boolean {
    if (encryption.status !== 'verified' || !editable) return false;
    const { latestRevision, text } = editable;
    if (latestRevision <= encryption.revision) return false;
    // What this tab saw before comes back only if Twilio put it back, unless it is an event that waited here
    // and is overtaken.
    return latestRevision > knownRevision(message) || textOf(message) !== text;
  }

  /** Waits until the SDK has something else of one of them; false when that takes too long. */
  function change(isThere: () => boolean, milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasCome: boolean): void => {
        clearTimeout(timer);
        watchers.delete(look);
        closed.removeEventListener('abort', giveUp);
        resolve(hasCome);
      };
      const look = (): void => {
        if (isThere()) end(true);
      };
      const giveUp = (): void => {
        end(false);
      };
      const timer = setTimeout(giveUp, milliseconds);
      watchers.add(look);
      closed.addEventListener('abort', giveUp);
      look();
    });
  }

  return {
    async accepted(messages, judging, judge) {
      let received = await accept(await judging);
      const until = Date.now() + PATIENCE_MILLISECONDS;
      for (;;) {
        const behind = messages.flatMap((message, at) => {
          const one = received[at];
          return one && isBehind(message, one) ? [{ message, text: one.editable?.text }] : [];
        });
        // Nor for ever, of a message that changes all the time.
        if (behind.length === 0 || Date.now() >= until) return received;
        const isThere = (): boolean => behind.some(({ message, text }) => textOf(message) !== text);
        if (!(await change(isThere, until - Date.now()))) return received;
        received = await accept(await judge());
      }
    },
    changed() {
      for (const look of [...watchers]) look();
    },
  };
}
