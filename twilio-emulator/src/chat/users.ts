import { refuse } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import { MAX_SMALL_ATTRIBUTES_BYTES } from '../limits.ts';
import { newSid } from '../sids.ts';
import { getItem } from '../sync/entity.ts';
import { attributesIn, friendlyNameIn } from './input.ts';
import { channelsName, infoName } from './items.ts';
import type { UserInfoData } from './data.ts';
import type { Chat, User } from './model.ts';

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
    online: false,
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

/** Changes what the user says of itself to all users of the service. */
export function updateUser(chat: Chat, identity: string, request: JsonRecord): void {
  const user = findUser(chat, identity);
  const friendlyName = friendlyNameIn(request);
  const attributes = attributesIn(request, MAX_SMALL_ATTRIBUTES_BYTES);
  if (friendlyName !== undefined) {
    user.friendlyName = friendlyName;
    chat.sync.putItem(user.info, 'friendlyName', { value: friendlyName });
  }
  if (attributes !== undefined) {
    user.attributes = attributes;
    chat.sync.putItem(user.info, 'attributes', { value: attributes });
  }
}

/** Notes whether the identity has a connection. */
export function setOnline(chat: Chat, identity: string, online: boolean): void {
  ensureUser(chat, identity).online = online;
  publishReachability(chat, identity);
}

/** Has the identity a device that is registered for push notifications? */
export function isNotifiable(chat: Chat, identity: string): boolean {
  return [...chat.registrations.values()].some((one) => one.identity === identity);
}

/** Tells everyone how the identity can be reached, if that has changed. */
export function publishReachability(chat: Chat, identity: string): void {
  const { info, online } = ensureUser(chat, identity);
  const notifiable = isNotifiable(chat, identity);
  const known = getItem(info, 'reachability')?.data;
  const same = known && 'online' in known && known.online === online;
  if (same && known.notifiable === notifiable) return;
  chat.sync.putItem(info, 'reachability', { online, notifiable });
}
