import type { Channel } from 'twilio-chat';
import { isEncryptionError } from 'twilio-chat-encryption';
import type { Session } from '../session/session.ts';
import { INITIAL, type ConversationState, type ConversationStore } from './conversation-state.ts';
import { historyOf, type History } from './history.ts';
import { membersOf, type Members } from './members.ts';
import { createStore, type Readable } from './store.ts';

/** An open channel and what can be done in it. All errors of `send` are in the state. */
export interface Conversation
  extends Readable<ConversationState>, Members, Omit<History, 'loadLatest'> {
  readonly channel: Channel;
  readonly write: (draft: string) => void;
  readonly send: () => Promise<void>;
  /** Looks at the last messages anew, after somebody's keys were acknowledged. */
  readonly reassess: () => void;
  /** Tells Twilio that everything shown was read. */
  readonly markRead: () => void;
}

/** Opens a channel. */
export function conversationOf(channel: Channel, session: Session): Conversation {
  const store = createStore(INITIAL);
  const history = historyOf(channel, store);
  const members = membersOf(channel, session, store);
  const { patch, get } = store;

  async function send(): Promise<void> {
    const { draft, sending } = get();
    if (sending || draft.trim() === '') return;
    patch({ sending: true, sendError: null });
    try {
      await channel.sendMessage(draft);
      patch({ draft: '' });
    } catch (sendError) {
      patch({ sendError });
      void members.refreshMembers();
    } finally {
      patch({ sending: false });
    }
  }

  followTyping(channel, session.identity, store);
  void history.loadLatest();
  void members.refreshMembers();

  return {
    channel,
    get,
    subscribe: store.subscribe,
    loadOlder: history.loadOlder,
    retry: history.retry,
    ...members,
    send,
    write(draft) {
      patch({ draft, sendError: null });
      if (draft !== '') channel.typing().catch(ignore);
    },
    reassess() {
      if (isEncryptionError(get().sendError, 'KEY_CHANGED')) patch({ sendError: null });
      void history.loadLatest();
    },
    markRead() {
      const last = get().messages.at(-1)?.index;
      if (last === undefined || last <= (channel.lastConsumedMessageIndex ?? -1)) return;
      channel.advanceLastConsumedMessageIndex(last).catch(ignore);
    },
  };
}

function followTyping(channel: Channel, me: string, { get, patch }: ConversationStore): void {
  channel.on('typingStarted', ({ identity }) => {
    if (identity !== me) patch({ typing: [...new Set([...get().typing, identity])] });
  });
  channel.on('typingEnded', ({ identity }) => {
    patch({ typing: get().typing.filter((one) => one !== identity) });
  });
}

/** For what is only a courtesy to others: it may fail without a word. */
function ignore(): void {
  // nothing
}
