/**
 * The edits that this device made last in a channel. Its tabs build on one another's: a tab may not
 * have heard yet of what another one just put in a message's place.
 */
import type { ChannelSid } from '../protocol/identifiers.ts';
import type { MessageName } from './ledger.ts';
import { arrayOf, isCount, isText, nullOr, objectOf } from './shape.ts';
import { readState, type Records, type StateType, updateState } from './state.ts';

/** An edit of this device. */
export interface OwnEdit {
  readonly revision: number;
  /** The envelope; null when Twilio did not say that it took it, and nothing builds on it. */
  readonly text: string | null;
}

/** The edits of one channel. Errors are those of {@link updateState}. */
export interface OwnEdits {
  /** The latest edit of a message, if it is among those that are remembered. */
  readonly latest: (name: MessageName) => Promise<OwnEdit | null>;
  /** Remembers the latest edit of a message. */
  readonly remember: (name: MessageName, edit: OwnEdit) => Promise<void>;
  /** Forgets all of them: needs no room in the key store. */
  readonly forget: () => Promise<void>;
}

interface Kept extends OwnEdit {
  readonly message: string;
}

const EDITS: StateType<readonly Kept[]> = {
  initial: [],
  isValid: arrayOf(objectOf<Kept>({ message: isText, revision: isCount, text: nullOr(isText) })),
};

// Every tab hears of an edit within moments, unless it is offline: then it cannot edit either.
const MAX_KEPT = 8;

/** The edits that the tabs of a device made in a channel. */
export function ownEdits(store: Records, channelSid: ChannelSid): OwnEdits {
  const record = `edits/${channelSid}`;
  const nameOf = ({ cardId, messageId, sequence }: MessageName): string =>
    `${cardId}/${sequence}/${messageId}`;
  return {
    async latest(name) {
      const kept = await readState(store, record, EDITS);
      return kept.find(({ message }) => message === nameOf(name)) ?? null;
    },
    async remember(name, { revision, text }) {
      const message = nameOf(name);
      await updateState(store, record, EDITS, (kept) =>
        [...kept.filter((one) => one.message !== message), { message, revision, text }].slice(
          -MAX_KEPT,
        ),
      );
    },
    forget: () => store.update(record, () => null),
  };
}
