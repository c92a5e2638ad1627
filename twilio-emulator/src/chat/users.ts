import { refuse } from '../errors.ts';
import { newSid } from '../sids.ts';
import { getItem } from '../sync/entity.ts';
import { channelsName, infoName } from './items.ts';
import type { Chat, User, UserInfoData } from './model.ts';

/** The user of this identity; Twilio makes it when the identity first connects or is added. */
export function ensureUser(chat: Chat, identity: string): User {
  const known = chat.users.get(identity);
  if (known !== undefined) return known;
  const { sync } = chat;
  const user: User = {
    sid: newSid('US'),
    identity,
    friendlyName: null,
    attributes: '{}',
    channels: sync.createMap(channelsName(identity), (reader) => reader === identity),
    info: sync.createMap<UserInfoData>(infoName(identity), () => true),
  };
  chat.users.set(identity, user);
  sync.putItem(user.info, 'friendlyName', { value: user.friendlyName });
  sync.putItem(user.info, 'attributes', { value: user.attributes });
  sync.putItem(user.info, 'reachability', { online: false, notifiable: false });
  return user;
}

/** The user of this identity, or the refusal that there is none. */
export function findUser(chat: Chat, identity: string): User {
  const user = chat.users.get(identity);
  if (user === undefined) throw refuse('userNotFound');
  return user;
}

/** Notes whether the identity has a connection. */
export function setOnline(chat: Chat, identity: string, online: boolean): void {
  const { info } = ensureUser(chat, identity);
  if (isOnline(chat, identity) === online) return;
  chat.sync.putItem(info, 'reachability', { online, notifiable: false });
}

/** Has the identity a connection? */
export function isOnline(chat: Chat, identity: string): boolean {
  const user = chat.users.get(identity);
  const reachability = user && getItem(user.info, 'reachability')?.data;
  return reachability !== undefined && 'online' in reachability && reachability.online;
}
