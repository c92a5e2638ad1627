import { Client, type Channel } from 'twilio-chat';
import { listenBy, type Device, type DeviceEvents, type Room, type RoomEvents } from './sdk.ts';
import type { Sdk } from './sdk.ts';

/** twilio-chat 6 */
export const chatSdk: Sdk = {
  name: 'twilio-chat',
  open: (token, options) => deviceOf(new Client(token, options)),
  ready: ({ raw }) =>
    new Promise((resolve) => {
      if (!(raw instanceof Client)) throw new TypeError('not a client of twilio-chat');
      raw.on('stateChanged', (state) => {
        if (state === 'initialized') resolve();
      });
    }),
};

/** A client of twilio-chat under the common names. */
function deviceOf(client: Client): Device {
  return {
    raw: client,
    get identity() {
      return client.user.identity;
    },
    on: listenBy<DeviceEvents>({
      connectionError: (heard) => client.on('connectionError', heard),
      connectionStateChanged: (heard) => client.on('connectionStateChanged', heard),
      pushNotification: (heard) => client.on('pushNotification', heard),
      roomAdded: (heard) =>
        client.on('channelAdded', ({ sid }) => {
          heard(sid);
        }),
      roomJoined: (heard) =>
        client.on('channelJoined', ({ sid }) => {
          heard(sid);
        }),
      roomLeft: (heard) =>
        client.on('channelLeft', ({ sid }) => {
          heard(sid);
        }),
      roomRemoved: (heard) =>
        client.on('channelRemoved', ({ sid }) => {
          heard(sid);
        }),
      tokenAboutToExpire: (heard) =>
        client.on('tokenAboutToExpire', () => {
          heard(undefined);
        }),
      tokenExpired: (heard) =>
        client.on('tokenExpired', () => {
          heard(undefined);
        }),
      userSubscribed: (heard) => client.on('userSubscribed', heard),
      userUnsubscribed: (heard) => client.on('userUnsubscribed', heard),
      userUpdated: (heard) => client.on('userUpdated', heard),
    }),
    create: async (options) => roomOf(await client.createChannel({ isPrivate: true, ...options })),
    roomBySid: async (sid) => roomOf(await client.getChannelBySid(sid)),
    roomByUniqueName: async (name) => roomOf(await client.getChannelByUniqueName(name)),
    async subscribedRooms() {
      const rooms: Room[] = [];
      for (let page = await client.getSubscribedChannels(); ; page = await page.nextPage()) {
        rooms.push(...page.items.map(roomOf));
        if (!page.hasNextPage) return rooms;
      }
    },
    roundTrip: () => client.getUserDescriptor(client.user.identity),
  };
}

/** A channel under the common names. */
function roomOf(channel: Channel): Room {
  return {
    raw: channel,
    sid: channel.sid,
    on: listenBy<RoomEvents>({
      memberJoined: (heard) => channel.on('memberJoined', heard),
      memberLeft: (heard) => channel.on('memberLeft', heard),
      memberUpdated: (heard) => channel.on('memberUpdated', heard),
      messageAdded: (heard) => channel.on('messageAdded', heard),
      messageRemoved: (heard) => channel.on('messageRemoved', heard),
      messageUpdated: (heard) => channel.on('messageUpdated', heard),
      removed: (heard) =>
        channel.on('removed', () => {
          heard(undefined);
        }),
      typingEnded: (heard) => channel.on('typingEnded', heard),
      typingStarted: (heard) => channel.on('typingStarted', heard),
      updated: (heard) => channel.on('updated', heard),
    }),
    members: () => channel.getMembers(),
    memberByIdentity: (identity) => channel.getMemberByIdentity(identity),
    memberBySid: (sid) => channel.getMemberBySid(sid),
    memberCount: () => channel.getMembersCount(),
    removeMember: (identity) => channel.removeMember(identity),
    horizon: () => channel.lastConsumedMessageIndex,
    unread: () => channel.getUnconsumedMessagesCount(),
    read: (index) => channel.updateLastConsumedMessageIndex(index),
    advance: (index) => channel.advanceLastConsumedMessageIndex(index),
    readAll: () => channel.setAllMessagesConsumed(),
    readNone: () => channel.setNoMessagesConsumed(),
  };
}
