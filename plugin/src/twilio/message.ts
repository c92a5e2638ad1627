import type { Member, Message } from 'twilio-chat';
import type { MessageEncryption } from '../client/message-encryption.ts';
import type { ReceivedMessage } from '../client/receiver.ts';
import { facade } from './facade.ts';
import { replayEmitter } from './replay-emitter.ts';
import { MESSAGE_RULES } from './rules.ts';
import type { Wrappers } from './registry.ts';

/** A message's facade and what only its channel may do with it. */
export interface OpenedMessage {
  readonly facade: Message;
  /** What was found when it was last opened. */
  readonly received: ReceivedMessage;
  /** Shows what was found when it was opened again. */
  show(received: ReceivedMessage): void;
  /** Tells the message's own listeners. */
  emitUpdated(updateReasons: readonly string[]): void;
}

/** The facade of a message that was opened. */
export function openedMessage(raw: Message, first: ReceivedMessage, wrap: Wrappers): OpenedMessage {
  let received = first;
  const emitter = replayEmitter(() => self);
  const self: Message = facade(
    raw,
    MESSAGE_RULES,
    {
      ...emitter.methods,
      get body() {
        const { encryption, content } = received;
        return encryption.status === 'verified' ? (content.body ?? '') : placeholder(encryption);
      },
      get attributes() {
        return received.content.attributes ?? {};
      },
      get encryption() {
        return received.encryption;
      },
      get channel() {
        return wrap.channel(raw.channel);
      },
      type: 'text',
      getMember: async (): Promise<Member> => wrap.member(await raw.getMember()),
      async remove() {
        await raw.remove();
        return self;
      },
    },
    wrap.clearMetadata,
  );
  return {
    facade: self,
    get received() {
      return received;
    },
    show(again) {
      received = again;
    },
    emitUpdated(updateReasons) {
      emitter.emit('updated', { message: self, updateReasons });
    },
  };
}

// Stands where the body would: fixed words, so that an application which does not look at
// `encryption` shows no text that somebody else chose.
function placeholder(encryption: Exclude<MessageEncryption, { status: 'verified' }>): string {
  return `[${encryption.status}: ${encryption.code}]`;
}
