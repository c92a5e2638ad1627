import { Client, type Conversation } from '@twilio/conversations';
import { listenBy, type Device, type DeviceEvents, type Room, type RoomEvents } from './sdk.ts';
import type { Sdk } from './sdk.ts';

/** @twilio/conversations 3 */
export const conversationsSdk: Sdk = {
  name: '@twilio/conversations',
  open: (token, options) => deviceOf(new Client(token, options)),
  ready: ({ raw }) =>
    new Promise((resolve) => {
      if (!(raw instanceof Client)) throw new TypeError('not a client of @twilio/conversations');
      raw.on('initialized', resolve);
    }),
};

/** A client of @twilio/conversations under the common names. */
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
        client.on('conversationAdded', ({ sid }) => {
          heard(sid);
        }),
      roomJoined: (heard) =>
        client.on('conversationJoined', ({ sid }) => {
          heard(sid);
        }),
      roomLeft: (heard) =>
        client.on('conversationLeft', ({ sid }) => {
          heard(sid);
        }),
      roomRemoved: (heard) =>
        client.on('conversationRemoved', ({ sid }) => {
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
    create: async (options) => roomOf(await client.createConversation({ ...options })),
    roomBySid: async (sid) => roomOf(await client.getConversationBySid(sid)),
    roomByUniqueName: async (name) => roomOf(await client.getConversationByUniqueName(name)),
    async subscribedRooms() {
      const rooms: Room[] = [];
      for (let page = await client.getSubscribedConversations(); ; page = await page.nextPage()) {
        rooms.push(...page.items.map(roomOf));
        if (!page.hasNextPage) return rooms;
      }
    },
    roundTrip: () => client.getContentTemplates(),
  };
}

/** A conversation under the common names. */
function roomOf(conversation: Conversation): Room {
  return {
    raw: conversation,
    sid: conversation.sid,
    on: listenBy<RoomEvents>({
      memberJoined: (heard) => conversation.on('participantJoined', heard),
      memberLeft: (heard) => conversation.on('participantLeft', heard),
      memberUpdated: (heard) =>
        conversation.on('participantUpdated', ({ participant, updateReasons }) => {
          heard({ member: participant, updateReasons });
        }),
      messageAdded: (heard) => conversation.on('messageAdded', heard),
      messageRemoved: (heard) => conversation.on('messageRemoved', heard),
      messageUpdated: (heard) => conversation.on('messageUpdated', heard),
      removed: (heard) =>
        conversation.on('removed', () => {
          heard(undefined);
        }),
      typingEnded: (heard) => conversation.on('typingEnded', heard),
      typingStarted: (heard) => conversation.on('typingStarted', heard),
      updated: (heard) => conversation.on('updated', heard),
    }),
    members: () => conversation.getParticipants(),
    memberByIdentity: (identity) => conversation.getParticipantByIdentity(identity),
    memberBySid: (sid) => conversation.getParticipantBySid(sid),
    memberCount: () => conversation.getParticipantsCount(),
    removeMember: (identity) => conversation.removeParticipant(identity),
    horizon: () => conversation.lastReadMessageIndex,
    unread: () => conversation.getUnreadMessagesCount(),
    read: (index) => conversation.updateLastReadMessageIndex(index),
    advance: (index) => conversation.advanceLastReadMessageIndex(index),
    readAll: () => conversation.setAllMessagesRead(),
    readNone: () => conversation.setAllMessagesUnread(),
  };
}
