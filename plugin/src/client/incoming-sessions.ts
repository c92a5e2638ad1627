/** Sessions that others opened for this device, by verified key messages. */
import { isSuite, type Suite } from '../protocol/header.ts';
import { parseCardId, type CardId, type ChannelSid } from '../protocol/identifiers.ts';
import { base64url, hex, type Bytes } from '../protocol/primitives.ts';
import type { Session } from '../protocol/session.ts';
import type { KeyStore } from './key-store.ts';
import { isText, nullOr, objectOf } from './shape.ts';
import { readState, updateState, type StateType } from './state.ts';

/** Kept sessions. Errors are those of {@link updateState}. */
export interface IncomingSessions {
  /** The session of this id in this channel, or null. */
  find(channelSid: ChannelSid, sessionId: Bytes): Promise<Session | null>;
  /** Keeps a session. The first of an id stays. */
  readonly keep: (session: Session) => Promise<void>;
}

interface SessionState {
  readonly senderCardId: string;
  /** base64url. */
  readonly messageKey: string;
  readonly suite: Suite;
}

const SESSION: StateType<SessionState | null> = {
  initial: null,
  isValid: nullOr(
    objectOf<SessionState>({ senderCardId: isText, messageKey: isText, suite: isSuite }),
  ),
};

// In memory, so that a page of followers reads the key store once.
const MAX_KEPT = 1000;

/** The sessions that the device with this card can read. */
export function incomingSessions(store: KeyStore, own: CardId): IncomingSessions {
  const kept = new Map<string, Session>();
  const nameOf = (channelSid: ChannelSid, sessionId: Bytes): string =>
    `session/${own}/${channelSid}/${hex.encode(sessionId)}`;

  function remember(name: string, session: Session): Session {
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value ?? '');
    kept.set(name, session);
    return session;
  }

  return {
    async find(channelSid, sessionId) {
      const name = nameOf(channelSid, sessionId);
      const known = kept.get(name);
      if (known) return known;
      const state = await readState(store, name, SESSION);
      const messageKey = state && base64url.decode(state.messageKey);
      if (!messageKey) return null;
      const { suite } = state;
      const senderCardId = parseCardId(state.senderCardId);
      return remember(name, { channelSid, senderCardId, sessionId, messageKey, suite });
    },

    async keep(session) {
      const { channelSid, sessionId, senderCardId, suite } = session;
      const name = nameOf(channelSid, sessionId);
      if (kept.has(name)) return;
      const messageKey = base64url.encode(session.messageKey);
      const { before } = await updateState(
        store,
        name,
        SESSION,
        (first) => first ?? { senderCardId, messageKey, suite },
      );
      if (!before) remember(name, session);
    },
  };
}
