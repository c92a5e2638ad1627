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
  readonly attach: (files: readonly File[]) => void;
  readonly detach: (file: File) => void;
  /** Sends what is attached, each in a message of its own, and then what was written. */
  readonly send: () => Promise<void>;
  /** Notes that these people get messages for the first time. */
  readonly noteRecipients: (identities: readonly string[]) => void;
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
    const { draft, attached, sending } = get();
    const isBlank = draft.trim() === '';
    if (sending || (isBlank && attached.length === 0)) return;
    patch({ sending: true, sendError: null });
    try {
      // Twilio's messages have a file or a text, and one of them.
      for (const file of attached) {
        await channel.sendMessage(formOf(file), {});
        detach(file);
      }
      if (isBlank) return;
      await channel.sendMessage(draft);
      patch({ draft: '' });
    } catch (sendError) {
      patch({ sendError });
      void members.refreshMembers();
    } finally {
      patch({ sending: false });
    }
  }

  function detach(file: File): void {
    patch({ attached: get().attached.filter((one) => one !== file) });
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
    attach(files) {
      if (!get().sending) patch({ attached: [...get().attached, ...files], sendError: null });
    },
    detach,
    noteRecipients(identities) {
      const { recipientNotes, messages } = get();
      const after = messages.at(-1)?.index ?? -1;
      patch({ recipientNotes: [...recipientNotes, { after, identities }] });
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

function formOf(file: File): FormData {
  const form = new FormData();
  form.append('file', file);
  return form;
}

/** For what is only a courtesy to others: it may fail without a word. */
function ignore(): void {
  // nothing
}
