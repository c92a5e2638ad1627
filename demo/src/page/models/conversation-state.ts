import type { Trust } from 'twilio-chat-encryption';
import type { MessageView } from './message-view.ts';
import type { Store } from './store.ts';

/** What is shown of an open channel. */
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
  /** Files for the next message, in the order in which they are sent; they stay likewise. */
  readonly attached: readonly File[];
  readonly sending: boolean;
  readonly sendError: unknown;
  readonly recipientNotes: readonly RecipientNote[];
}

/** These people got messages of this device from here on. Told once: not after a reload. */
export interface RecipientNote {
  /** The index of the last message that they did not get; -1 without one. */
  readonly after: number;
  readonly identities: readonly string[];
}

/** A member of a channel. */
export interface MemberView {
  readonly identity: string;
  /** Whether the token server knows a card of theirs; null until it was asked. */
  readonly hasCard: boolean | null;
  /** How far each of their devices is trusted here; empty until it was asked, and for oneself. */
  readonly trust: readonly Trust[];
}

/** A channel of which nothing is known yet. */
export const INITIAL: ConversationState = {
  loading: 'first',
  failed: false,
  hasOlder: false,
  messages: [],
  typing: [],
  members: [],
  draft: '',
  attached: [],
  sending: false,
  sendError: null,
  recipientNotes: [],
};

/** Where the state of a conversation is kept. */
export type ConversationStore = Store<ConversationState>;
