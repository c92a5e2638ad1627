import type { Channel, Member, Message, PushNotification, User } from 'twilio-chat';

/** What the SDK's events carry. */
interface Heard {
  channelAdded: Channel;
  channelInvited: Channel;
  channelJoined: Channel;
  channelLeft: Channel;
  channelRemoved: Channel;
  channelUpdated: { channel: Channel; updateReasons: string[] };
  connectionError: { terminal: boolean; httpStatusCode?: number; errorCode?: number };
  connectionStateChanged: string;
  memberJoined: Member;
  memberLeft: Member;
  memberUpdated: { member: Member; updateReasons: string[] };
  messageAdded: Message;
  messageRemoved: Message;
  messageUpdated: { message: Message; updateReasons: string[] };
  pushNotification: PushNotification;
  removed: Channel;
  stateChanged: string;
  tokenAboutToExpire: unknown;
  tokenExpired: undefined;
  typingEnded: Member;
  typingStarted: Member;
  updated: { channel: Channel; updateReasons: string[] };
  userUpdated: { user: User; updateReasons: string[] };
}

interface Emitter<E extends keyof Heard> {
  on(event: E, listener: (value: Heard[E]) => void): unknown;
  off(event: E, listener: (value: Heard[E]) => void): unknown;
}

/** The next event of a name that fits. */
export function next<E extends keyof Heard>(
  emitter: Emitter<NoInfer<E>>,
  event: E,
  fits: (value: Heard[E]) => boolean = () => true,
): Promise<Heard[E]> {
  return new Promise((resolve) => {
    const listener = (value: Heard[E]): void => {
      if (!fits(value)) return;
      emitter.off(event, listener);
      resolve(value);
    };
    emitter.on(event, listener);
  });
}

/** The next `count` events of a name. */
export function collect<E extends keyof Heard>(
  emitter: Emitter<NoInfer<E>>,
  event: E,
  count: number,
): Promise<Heard[E][]> {
  const heard: Heard[E][] = [];
  return next(emitter, event, (value) => heard.push(value) === count).then(() => heard);
}
