/**
 * What a device remembers of its own messages in a channel: the last number, the session that is
 * open, and the envelopes that were made but not yet seen to arrive.
 */
import { isSuite, type Suite } from '../protocol/header.ts';
import { EncryptionError } from '../errors.ts';
import type { CardId, ChannelSid } from '../protocol/identifiers.ts';
import type { Bytes } from '../protocol/primitives.ts';
import { arrayOf, isCount, isText, nullOr, objectOf } from './shape.ts';
import { readState, type Records, type StateType, updateState } from './state.ts';

/** An envelope on its way. */
export interface OutboxEntry {
  readonly sequence: number;
  /** `message`: if it was left, it may be posted; anything else may not. */
  readonly kind: string;
  /** The envelope, as a message body has it. */
  readonly text: string;
  /** Names the set of recipients that it was encrypted for. */
  readonly recipients: string;
}

/** A session that this device opened, for its next messages. */
export interface OutgoingSession {
  /** 16 bytes, base64url. */
  readonly sessionId: string;
  /** 32 bytes, base64url. */
  readonly messageKey: string;
  readonly suite: Suite;
  readonly keyMessageIndex: number;
  readonly recipients: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly openedAt: number;
  /** How many messages it may still carry. */
  readonly left: number;
}

/** What is kept of a channel. */
export interface OutgoingState {
  /** The last sequence that was given away; 0 before the first. */
  readonly last: number;
  readonly outbox: readonly OutboxEntry[];
  readonly session: OutgoingSession | null;
}

const OUTGOING: StateType<OutgoingState> = {
  initial: { last: 0, outbox: [], session: null },
  isValid: objectOf<OutgoingState>({
    last: isCount,
    outbox: arrayOf(
      objectOf<OutboxEntry>({ sequence: isCount, kind: isText, text: isText, recipients: isText }),
    ),
    session: nullOr(
      objectOf<OutgoingSession>({
        sessionId: isText,
        messageKey: isText,
        suite: isSuite,
        keyMessageIndex: isCount,
        recipients: isText,
        openedAt: isCount,
        left: isCount,
      }),
    ),
  }),
};

/**
 * The outgoing side of one channel. Errors are those of {@link updateState}, and `KEY_RECORD_DAMAGED`
 * when the last number is lower than it was: numbers would be used twice.
 */
export interface Outbox {
  /** What was given up and is still there is of another kind than `message`. */
  read(): Promise<OutgoingState>;
  /**
   * Gives the next number to an envelope and keeps both, in one step: a number is lost at worst,
   * never used twice.
   * @param make makes the envelope that has this number; again, if another tab was faster
   */
  add(make: (sequence: number) => Promise<OutboxEntry>): Promise<OutboxEntry>;
  /** The envelope arrived, or never will. */
  remove(entry: OutboxEntry): Promise<void>;
  /**
   * As {@link remove}. A key store without room may not do that: then the envelope stays there, and is not
   * posted any more. Rejects when even that cannot be written: the next process may post it.
   */
  giveUp(entry: OutboxEntry): Promise<void>;
  /** Never gives away numbers up to this one; gives the last that is not given away again. */
  raise(sequence: number): Promise<number>;
  setSession(session: OutgoingSession): Promise<void>;
  /** Counts one message of the session; whether it may still carry that one. */
  spend(session: OutgoingSession): Promise<boolean>;
}

/** The kind of what is not posted by who finds it in the outbox. */
export const UNREPEATABLE = 'unrepeatable';
// Any bytes do.
const PERMIT: Bytes = Uint8Array.of(1);

/** The outbox of this card in this channel. */
export function outbox(store: Records, cardId: CardId, channelSid: ChannelSid): Outbox {
  const name = `outgoing/${cardId}/${channelSid}`;
  // While this record is there, what is in the outbox may be posted: to delete it needs no room.
  const permit = `repeat/${cardId}/${channelSid}`;
  const givenUp = new Set<number>();
  let highest = 0;

  // Each change starts from what is stored, never from what was stored a moment ago: another tab may
  // have gone on. But nobody goes back, unless the record was deleted or replaced by an old one.
  function checked(state: OutgoingState): OutgoingState {
    if (state.last < highest) {
      throw new EncryptionError('KEY_RECORD_DAMAGED', `The stored record ${name} is an old one.`);
    }
    highest = state.last;
    return state;
  }

  async function update(change: (state: OutgoingState) => OutgoingState) {
    const changed = await updateState(store, name, OUTGOING, (state) => change(checked(state)));
    highest = Math.max(highest, changed.after.last);
    return changed;
  }

  const isPermitted = async (): Promise<boolean> => (await store.get(permit)) !== null;

  async function remove({ sequence }: OutboxEntry): Promise<void> {
    await update((state) => ({
      ...state,
      outbox: state.outbox.filter((entry) => entry.sequence !== sequence),
    }));
  }

  return {
    async read() {
      const state = checked(await readState(store, name, OUTGOING));
      if (state.outbox.length === 0) return state;
      const isRepeatable = await isPermitted();
      const left = state.outbox.map((entry) =>
        isRepeatable && !givenUp.has(entry.sequence) ? entry : { ...entry, kind: UNREPEATABLE },
      );
      return { ...state, outbox: left };
    },

    async add(make) {
      for (;;) {
        const { last } = await this.read();
        const entry = await make(last + 1);
        const isRepeatable = await isPermitted();
        const { before } = await update((state) => {
          const left = isRepeatable ? state.outbox : [];
          return state.last === last
            ? { ...state, last: entry.sequence, outbox: [...left, entry] }
            : state;
        });
        if (before.last !== last) continue;
        // Only now: what was given up is gone.
        if (!isRepeatable) await store.update(permit, () => PERMIT);
        return entry;
      }
    },

    remove,

    async giveUp(entry) {
      givenUp.add(entry.sequence);
      try {
        await remove(entry);
      } catch {
        await store.update(permit, () => null);
      }
    },

    // Also of a record that went back: this is how it comes to what it was.
    async raise(sequence) {
      const { after } = await updateState(store, name, OUTGOING, (state) =>
        state.last < sequence ? { ...state, last: sequence } : state,
      );
      return after.last;
    },

    async setSession(session) {
      await update((state) => ({ ...state, session }));
    },

    async spend({ sessionId }) {
      const { before } = await update((state) =>
        state.session?.sessionId === sessionId && state.session.left > 0
          ? { ...state, session: { ...state.session, left: state.session.left - 1 } }
          : state,
      );
      return before.session?.sessionId === sessionId && before.session.left > 0;
    },
  };
}
