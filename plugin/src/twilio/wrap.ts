/** Wraps what an application hands in, whichever SDK it is of. */
/* eslint-disable @typescript-eslint/ban-ts-comment -- here an SDK is there, and elsewhere it is not */
// An application has one of the SDKs, and the types of the other are not there: without these two
// comments, which stay in the declarations, its compiler would stop here if it checks libraries.
/** @ts-ignore */
import type * as Conversations from '@twilio/conversations';
/** @ts-ignore */
import type * as Chat from 'twilio-chat';
import { EncryptionError } from '../errors.ts';
import { chatWrappers } from './chat/wrappers.ts';
import { conversationsWrappers } from './conversations/wrappers.ts';
import { isFacade } from './core/facade.ts';
import type { Wrapping } from './core/wrapping.ts';

// What is unknown, because its SDK is not there, would let anything pass: it counts as `never`.
/** A client of either SDK. */
export type AnyClient =
  | ([0] extends [1 & Chat.Client] ? never : Chat.Client)
  | ([0] extends [1 & Conversations.Client] ? never : Conversations.Client);

/** A channel of twilio-chat, or a conversation of Conversations. */
export type AnyChannel =
  | ([0] extends [1 & Chat.Channel] ? never : Chat.Channel)
  | ([0] extends [1 & Conversations.Conversation] ? never : Conversations.Conversation);

/** The facades of one device, for both SDKs. */
export interface Wrap {
  readonly client: <C extends AnyClient>(raw: C) => C;
  readonly channel: <C extends AnyChannel>(raw: C) => C;
}

/** Gives each SDK object the facade of its own SDK. */
export function wraps(wrapping: Wrapping): Wrap {
  const chat = chatWrappers(wrapping);
  const conversations = conversationsWrappers(wrapping);

  function client<C extends AnyClient>(raw: C): C;
  function client(raw: AnyClient): AnyClient {
    checkBare(raw);
    if (has<Conversations.Client>(raw, 'getConversationBySid')) return conversations.client(raw);
    if (has<Chat.Client>(raw, 'getChannelBySid')) return chat.client(raw);
    throw notOfTwilio('a Client of twilio-chat or of @twilio/conversations');
  }

  function channel<C extends AnyChannel>(raw: C): C;
  function channel(raw: AnyChannel): AnyChannel {
    checkBare(raw);
    if (has<Conversations.Conversation>(raw, 'getParticipants')) {
      return conversations.conversation(raw);
    }
    if (has<Chat.Channel>(raw, 'getMembers')) return chat.channel(raw);
    throw notOfTwilio('a Channel of twilio-chat or a Conversation of @twilio/conversations');
  }

  return { client, channel };
}

function has<T extends object>(raw: object, name: keyof T): raw is T {
  return name in raw;
}

// Wrapped twice it would encrypt twice.
function checkBare(raw: unknown): void {
  if (typeof raw !== 'object' || raw === null) throw notOfTwilio('an object of the Twilio SDK');
  if (!isFacade(raw)) return;
  throw new EncryptionError(
    'INVALID_ARGUMENT',
    'This is wrapped already. Wrap the object that the Twilio SDK gave you, once.',
  );
}

function notOfTwilio(what: string): EncryptionError {
  return new EncryptionError('INVALID_ARGUMENT', `Only ${what} can be wrapped.`);
}
