/** Facades of members, users and descriptors: nothing to decrypt, but ways back to raw objects. */
import type { Channel, ChannelDescriptor, Member, User, UserDescriptor } from 'twilio-chat';
import { facade, refusal } from '../core/facade.ts';
import { once } from '../core/once.ts';
import type { People } from './registry.ts';
import { ReplayEmitter } from '../core/replay-emitter.ts';
import {
  CHANNEL_DESCRIPTOR_RULES,
  MEMBER_RULES,
  USER_DESCRIPTOR_RULES,
  USER_RULES,
} from './rules.ts';

/**
 * The facades of one device.
 * @param channelOf gives a channel's facade
 */
export function people(channelOf: (raw: Channel) => Channel, clearMetadata: boolean): People {
  const user = once((raw: User) => userFacade(raw, clearMetadata));
  const userDescriptor = once((raw: UserDescriptor) =>
    facade(
      raw,
      USER_DESCRIPTOR_RULES,
      { subscribe: async () => user(await raw.subscribe()) },
      clearMetadata,
    ),
  );
  const member = once((raw: Member) =>
    memberFacade(raw, { channelOf, user, userDescriptor }, clearMetadata),
  );
  const channelDescriptor = once((raw: ChannelDescriptor) =>
    facade(
      raw,
      CHANNEL_DESCRIPTOR_RULES,
      { getChannel: async () => channelOf(await raw.getChannel()) },
      clearMetadata,
    ),
  );
  return { member, user, userDescriptor, channelDescriptor };
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

function memberFacade(
  raw: Member,
  wrap: {
    channelOf: (raw: Channel) => Channel;
    user: (raw: User) => User;
    userDescriptor: (raw: UserDescriptor) => UserDescriptor;
  },
  clearMetadata: boolean,
): Member {
  const emitter = new ReplayEmitter(() => self);
  const self: Member = facade(
    raw,
    MEMBER_RULES,
    {
      get channel() {
        return wrap.channelOf(raw.channel);
      },
      getUser: async () => wrap.user(await raw.getUser()),
      getUserDescriptor: async () => wrap.userDescriptor(await raw.getUserDescriptor()),
      remove: () => wrap.channelOf(raw.channel).removeMember(raw.identity),
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
    emitter.emit('updated', { member: self, updateReasons });
  });
  for (const name of ['typingStarted', 'typingEnded'] as const) {
    raw.on(name, () => {
      emitter.emit(name, self);
    });
  }
  return self;
}
