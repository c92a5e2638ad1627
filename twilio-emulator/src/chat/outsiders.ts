import { refuse } from '../errors.ts';
import { isRecord, type JsonRecord } from '../json.ts';
import { MAX_MEMBERS, MAX_NAME_LENGTH, MAX_SMALL_ATTRIBUTES_BYTES } from '../limits.ts';
import { newSid } from '../sids.ts';
import { isAdmin, mayManage } from './channels.ts';
import { attributesIn } from './input.ts';
import { outsiderData } from './items.ts';
import type { Channel, Chat } from './model.ts';
import type { Outsider } from './outside.ts';

/** Adds a participant by an address: `addNonChatParticipant` of Conversations. */
export function addOutsider(
  chat: Chat,
  channel: Channel,
  by: string,
  request: JsonRecord,
): Outsider {
  if (!mayManage(channel, by)) throw refuse('notAllowed');
  const { members, outsiders } = channel;
  if (members.size + outsiders.size >= MAX_MEMBERS) throw refuse('tooManyMembers');
  const binding = bindingIn(request);
  const isSame = (one: Outsider): boolean =>
    one.address === binding.address && one.proxyAddress === binding.proxyAddress;
  if ([...outsiders.values()].some(isSame)) throw refuse('bindingExists');

  const today = chat.today();
  const outsider: Outsider = {
    sid: newSid('MB'),
    ...binding,
    attributes: attributesIn(request, MAX_SMALL_ATTRIBUTES_BYTES) ?? '{}',
    dateCreated: today,
    dateUpdated: today,
  };
  outsiders.set(outsider.sid, outsider);
  publish(chat, channel, outsider);
  return outsider;
}

/** Changes an outsider's attributes. */
export function updateOutsider(
  chat: Chat,
  channel: Channel,
  by: string,
  outsider: Outsider,
  request: JsonRecord,
): void {
  if (!isAdmin(chat, channel, by)) throw refuse('notAllowed');
  outsider.attributes = attributesIn(request, MAX_SMALL_ATTRIBUTES_BYTES) ?? outsider.attributes;
  outsider.dateUpdated = chat.today();
  publish(chat, channel, outsider);
}

/** Removes an outsider. */
export function removeOutsider(chat: Chat, channel: Channel, by: string, { sid }: Outsider): void {
  if (!isAdmin(chat, channel, by)) throw refuse('notAllowed');
  channel.outsiders.delete(sid);
  chat.sync.removeItem(channel.roster, sid);
}

function publish(chat: Chat, channel: Channel, outsider: Outsider): void {
  chat.sync.putItem(channel.roster, outsider.sid, outsiderData(chat, outsider));
}

function bindingIn({
  messaging_binding: binding,
}: JsonRecord): Pick<Outsider, 'type' | 'address' | 'proxyAddress' | 'name' | 'level'> {
  if (!isRecord(binding)) throw refuse('invalidRequest', 'messaging_binding');
  const address = addressIn(binding['address']);
  const { name, level } = binding;
  return {
    type: typeOf(address),
    address,
    proxyAddress: addressIn(binding['proxy_address']),
    name: typeof name === 'string' ? name : null,
    level: typeof level === 'string' ? level : null,
  };
}

function addressIn(value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_NAME_LENGTH) {
    throw refuse('invalidRequest', 'address');
  }
  return value;
}

function typeOf(address: string): Outsider['type'] {
  if (address.startsWith('whatsapp:')) return 'whatsapp';
  return address.includes('@') ? 'email' : 'sms';
}
