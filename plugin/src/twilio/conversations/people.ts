/** Facades of participants and users: nothing to decrypt, but ways back to raw objects. */
import type { Conversation, Participant, User } from '@twilio/conversations';
import { facade, refusal } from '../core/facade.ts';
import { once } from '../core/once.ts';
import { ReplayEmitter } from '../core/replay-emitter.ts';
import type { People } from './registry.ts';
import { PARTICIPANT_RULES, USER_RULES } from './rules.ts';

/**
 * The facades of one device.
 * @param conversationOf gives a conversation's facade
 */
export function people(
  conversationOf: (raw: Conversation) => Conversation,
  clearMetadata: boolean,
): People {
  const user = once((raw: User) => userFacade(raw, clearMetadata));
  const participant = once((raw: Participant) =>
    participantFacade(raw, { conversationOf, user }, clearMetadata),
  );
  return { participant, user };
}

function userFacade(raw: User, clearMetadata: boolean): User {
  const emitter = new ReplayEmitter(() => self);
  const clear = (name: string): void => {
    if (!clearMetadata) throw refusal(name, 'metadata');
  };
  const self: User = facade(
    raw,
    USER_RULES,
    {
      async updateAttributes(attributes) {
        clear('updateAttributes');
        await raw.updateAttributes(attributes);
        return self;
      },
      async updateFriendlyName(friendlyName) {
        clear('updateFriendlyName');
        await raw.updateFriendlyName(friendlyName);
        return self;
      },
    },
    clearMetadata,
    emitter,
  );
  raw.on('updated', ({ updateReasons }) => {
    emitter.emit('updated', { user: self, updateReasons });
  });
  raw.on('userSubscribed', () => {
    emitter.emit('userSubscribed', self);
  });
  raw.on('userUnsubscribed', () => {
    emitter.emit('userUnsubscribed', self);
  });
  return self;
}

function participantFacade(
  raw: Participant,
  wrap: {
    conversationOf: (raw: Conversation) => Conversation;
    user: (raw: User) => User;
  },
  clearMetadata: boolean,
): Participant {
  const emitter = new ReplayEmitter(() => self);
  const self: Participant = facade(
    raw,
    PARTICIPANT_RULES,
    {
      get conversation() {
        return wrap.conversationOf(raw.conversation);
      },
      getUser: async () => wrap.user(await raw.getUser()),
      remove: () =>
        wrap.conversationOf(raw.conversation).removeParticipant(raw.identity ?? raw.sid),
      async updateAttributes(attributes) {
        if (!clearMetadata) throw refusal('updateAttributes', 'metadata');
        await raw.updateAttributes(attributes);
        return self;
      },
    },
    clearMetadata,
    emitter,
  );
  raw.on('updated', ({ updateReasons }) => {
    emitter.emit('updated', { participant: self, updateReasons });
  });
  for (const name of ['typingStarted', 'typingEnded'] as const) {
    raw.on(name, () => {
      emitter.emit(name, self);
    });
  }
  return self;
}
