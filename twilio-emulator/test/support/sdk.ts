import type * as chat from 'twilio-chat';
import type * as conversations from '@twilio/conversations';

/** What both SDKs call by the same names is used as it is. */
export type Message = chat.Message | conversations.Message;
export type Member = chat.Member | conversations.Participant;
export type User = chat.User | conversations.User;
export type PushNotification = chat.PushNotification | conversations.PushNotification;

/** Something changed, and what. */
export type Change<Name extends string, T> = Readonly<Record<Name, T>> & {
  readonly updateReasons: readonly string[];
};

/** The events of a channel or a conversation. */
export interface RoomEvents {
  memberJoined: Member;
  memberLeft: Member;
  memberUpdated: Change<'member', Member>;
  messageAdded: Message;
  messageRemoved: Message;
  messageUpdated: Change<'message', Message>;
  removed: undefined;
  typingEnded: Member;
  typingStarted: Member;
  updated: { readonly updateReasons: readonly string[] };
}

/** The events of a client; what was invited, joined or left is given by its sid. */
export interface DeviceEvents {
  connectionError: { readonly terminal: boolean };
  connectionStateChanged: string;
  pushNotification: PushNotification;
  roomAdded: string;
  roomJoined: string;
  roomLeft: string;
  roomRemoved: string;
  tokenAboutToExpire: undefined;
  tokenExpired: undefined;
  userSubscribed: User;
  userUnsubscribed: User;
  userUpdated: Change<'user', User>;
}

/** A channel or a conversation. What the SDKs call differently has one name here. */
export interface Room {
  readonly raw: chat.Channel | conversations.Conversation;
  readonly sid: string;
  readonly on: Listen<RoomEvents>;
  /** Resolves when everything of the room is open and followed. */
  readonly members: () => Promise<readonly Member[]>;
  readonly memberByIdentity: (identity: string) => Promise<Member | null>;
  readonly memberBySid: (sid: string) => Promise<Member | null>;
  readonly memberCount: () => Promise<number>;
  readonly removeMember: (identity: string) => Promise<unknown>;
  readonly horizon: () => number | null;
  readonly unread: () => Promise<number | null>;
  readonly read: (index: number | null) => Promise<number>;
  readonly advance: (index: number) => Promise<number>;
  readonly readAll: () => Promise<number>;
  readonly readNone: () => Promise<number>;
}

/** Options for a new room. */
export interface NewRoom {
  readonly uniqueName?: string;
  readonly friendlyName?: string;
  readonly attributes?: conversations.JSONValue;
}

/** A connected client. What the SDKs call differently has one name here. */
export interface Device {
  readonly raw: chat.Client | conversations.Client;
  readonly identity: string;
  readonly on: Listen<DeviceEvents>;
  readonly create: (options?: NewRoom) => Promise<Room>;
  readonly roomBySid: (sid: string) => Promise<Room>;
  readonly roomByUniqueName: (name: string) => Promise<Room>;
  readonly subscribedRooms: () => Promise<Room[]>;
  /** Resolves when the server has answered everything that was asked before. */
  readonly roundTrip: () => Promise<unknown>;
}

/** One of the SDKs. */
export interface Sdk {
  readonly name: string;
  /** A client that connects now. */
  readonly open: (token: string, options: { Twilsock: { uri: string } }) => Device;
  /** Resolves when the client is ready. */
  readonly ready: (device: Device) => Promise<void>;
}

/** Adds a listener. */
export type Listen<Events> = <E extends keyof Events>(
  event: E,
  listener: (value: Events[E]) => void,
) => void;

/** One subscribing function for each event. */
export type Subscribers<Events> = {
  readonly [E in keyof Events]: (listener: (value: Events[E]) => void) => unknown;
};

/** Listens by whichever of the functions belongs to the event. */
export function listenBy<Events>(subscribers: Subscribers<Events>): Listen<Events> {
  return (event, listener) => {
    subscribers[event](listener);
  };
}

/** The next event of a name that fits. */
export function next<Events, E extends keyof Events>(
  source: { readonly on: Listen<Events> },
  event: E,
  fits: (value: Events[E]) => boolean = () => true,
): Promise<Events[E]> {
  return new Promise((resolve) => {
    source.on(event, (value) => {
      if (fits(value)) resolve(value);
    });
  });
}

/** The next `count` events of a name. */
export function collect<Events, E extends keyof Events>(
  source: { readonly on: Listen<Events> },
  event: E,
  count: number,
): Promise<Events[E][]> {
  const heard: Events[E][] = [];
  return next(source, event, (value) => heard.push(value) === count).then(() => heard);
}
