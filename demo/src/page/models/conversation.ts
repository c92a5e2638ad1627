import type { Channel, Message } from 'twilio-chat';
import { isEncryptionError } from 'twilio-chat-encryption';
import type { Session } from '../session/session.ts';
import { viewOf, type MessageView } from './message-view.ts';
import { createStore, type Readable } from './store.ts';

/** An open channel. */
export interface ConversationState {
  readonly loading: 'first' | 'older' | null;
  readonly failed: boolean;
  readonly hasOlder: boolean;
  /** In the channel's order. */
  readonly messages: readonly MessageView[];
  /** Others who are typing. */
  readonly typing: readonly string[];
  readonly members: readonly MemberView[];
  /** What is being written; it stays until it was sent. */
  readonly draft: string;
  readonly sending: boolean;
  readonly sendError: unknown;
}

/** A member of a channel. */
export interface MemberView {
  readonly identity: string;
  /** Whether the token server knows a card of theirs; null until it was asked. */
  readonly hasCard: boolean | null;
}

/** An open channel and what can be done in it. All errors of `send` are in the state. */
export interface Conversation extends Readable<ConversationState> {
  readonly channel: Channel;
  readonly loadOlder: () => Promise<void>;
  /** Does again what failed. */
  readonly retry: () => Promise<void>;
  readonly write: (draft: string) => void;
  readonly send: () => Promise<void>;
  /** Looks at the last messages anew, after somebody's keys were acknowledged. */
  readonly reassess: () => void;
  /** Tells Twilio that everything shown was read. */
  readonly markRead: () => void;
  readonly addMember: (identity: string) => Promise<void>;
  readonly removeMember: (identity: string) => Promise<void>;
  readonly refreshMembers: () => Promise<void>;
}

const PAGE_SIZE = 30;

const INITIAL: ConversationState = {
  loading: 'first',
  failed: false,
  hasOlder: false,
  messages: [],
  typing: [],
  members: [],
  draft: '',
  sending: false,
  sendError: null,
};

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

type StateStore = ReturnType<typeof createStore<ConversationState>>;

function historyOf(
  channel: Channel,
  { get, patch }: StateStore,
): Pick<Conversation, 'loadOlder' | 'retry'> & { readonly loadLatest: () => Promise<void> } {
  const byIndex = new Map<number, MessageView>();
  let older: (() => Promise<Page>) | null = null;
  let retry = loadLatest;

  function show(): void {
    patch({ messages: [...byIndex.values()].sort((a, b) => a.index - b.index) });
  }

  function put(message: Message): void {
    byIndex.set(message.index, viewOf(message));
  }

  async function load(loading: 'first' | 'older', next: () => Promise<Page>): Promise<void> {
    retry = () => load(loading, next);
    patch({ loading, failed: false });
    try {
      const page = await next();
      page.items.forEach(put);
      older = page.hasPrevPage ? () => page.prevPage() : null;
      patch({ hasOlder: page.hasPrevPage });
      show();
    } catch {
      patch({ failed: true });
    } finally {
      patch({ loading: null });
    }
  }

  function loadLatest(): Promise<void> {
    return load('first', async () => {
      // Opens the list of messages: what comes between here and the page is announced.
      await channel.getMembers();
      return channel.getMessages(PAGE_SIZE);
    });
  }

  channel.on('messageAdded', (message) => {
    put(message);
    show();
  });
  channel.on('messageUpdated', ({ message }) => {
    if (!byIndex.has(message.index)) return;
    put(message);
    show();
  });
  channel.on('messageRemoved', (message) => {
    byIndex.delete(message.index);
    show();
  });

  return {
    loadLatest,
    retry: () => retry(),
    async loadOlder() {
      if (older && get().loading === null) await load('older', older);
    },
  };
}

type Page = Awaited<ReturnType<Channel['getMessages']>>;

function membersOf(
  channel: Channel,
  { access }: Session,
  { get, patch }: StateStore,
): Pick<Conversation, 'addMember' | 'removeMember' | 'refreshMembers'> {
  async function refreshMembers(): Promise<void> {
    const identities = (await channel.getMembers().catch(() => [])).map((one) => one.identity);
    identities.sort((a, b) => a.localeCompare(b));
    const known = new Map(get().members.map(({ identity, hasCard }) => [identity, hasCard]));
    patch({
      members: identities.map((identity) => ({ identity, hasCard: known.get(identity) ?? null })),
    });
    const withCard = await access.withCard(identities).catch(() => null);
    if (!withCard) return;
    patch({
      members: get().members.map(({ identity }) => ({ identity, hasCard: withCard.has(identity) })),
    });
  }

  const changed = (): void => void refreshMembers();
  channel.on('memberJoined', changed);
  channel.on('memberLeft', changed);
  return {
    refreshMembers,
    addMember: (identity) => channel.add(identity),
    removeMember: (identity) => channel.removeMember(identity),
  };
}

function followTyping(channel: Channel, me: string, { get, patch }: StateStore): void {
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
