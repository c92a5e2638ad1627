import type { Channel, Message } from 'twilio-chat';
import type { ConversationStore } from './conversation-state.ts';
import { viewOf, type MessageView } from './message-view.ts';

/** The messages of a channel, page by page. */
export interface History {
  /** Reads the last messages, also to look at them again. */
  readonly loadLatest: () => Promise<void>;
  readonly loadOlder: () => Promise<void>;
  /** Does again what failed. */
  readonly retry: () => Promise<void>;
}

const PAGE_SIZE = 30;

/** Follows the messages of a channel. */
export function historyOf(channel: Channel, { get, patch }: ConversationStore): History {
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
