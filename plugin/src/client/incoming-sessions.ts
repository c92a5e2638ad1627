/** Sessions that others opened for this device, by verified key messages. */
import { isSuite, type Suite } from '../protocol/header.ts';
import { parseCardId, type ChannelSid } from '../protocol/identifiers.ts';
import { base64url, hex, type Bytes } from '../protocol/primitives.ts';
import type { Session } from '../protocol/session.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { OwnCard } from './own-card.ts';
import { isText, nullOr, objectOf } from './shape.ts';
import { readState, type Records, type StateType, updateState } from './state.ts';

/** Kept sessions. Errors are those of {@link updateState}. */
export interface IncomingSessions {
  /** The session of this id in this channel, or null. */
  find(channelSid: ChannelSid, sessionId: Bytes): Promise<Session | null>;
  /**
   * Keeps a session. The first of an id stays.
   * @param own whose keys opened it: when they are deleted, nothing opens what is kept with them
   */
  readonly keep: (session: Session, own: OwnCard) => Promise<void>;
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

/**
 * The sessions that a device can read.
 * @param recordsOf where what these keys opened is kept
 */
export function incomingSessions(
  keys: DeviceKeys,
  recordsOf: (own: OwnCard) => Records,
): IncomingSessions {
  const kept = new Map<string, Session>();
  const idOf = (channelSid: ChannelSid, sessionId: Bytes): string =>
    `${channelSid}/${hex.encode(sessionId)}`;
  const nameOf = ({ card }: OwnCard, id: string): string => `session/${card.id}/${id}`;

  function remember(name: string, session: Session): Session {
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value ?? '');
    kept.set(name, session);
    return session;
  }

  return {
    async find(channelSid, sessionId) {
      const id = idOf(channelSid, sessionId);
      const known = kept.get(id);
      if (known) return known;
      for (const own of keys.all()) {
        const state = await readState(recordsOf(own), nameOf(own, id), SESSION);
        const messageKey = state && base64url.decode(state.messageKey);
        if (!messageKey) continue;
        const { suite } = state;
        const senderCardId = parseCardId(state.senderCardId);
        return remember(id, { channelSid, senderCardId, sessionId, messageKey, suite });
      }
      return null;
    },

    async keep(session, own) {
      const { channelSid, sessionId, senderCardId, suite } = session;
      const id = idOf(channelSid, sessionId);
      if (kept.has(id)) return;
      const messageKey = base64url.encode(session.messageKey);
      const { before } = await updateState(
        recordsOf(own),
        nameOf(own, id),
        SESSION,
        (first) => first ?? { senderCardId, messageKey, suite },
      );
      if (!before) remember(id, session);
    },
  };
}
