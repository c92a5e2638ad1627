import { reportDelivery } from './chat/deliveries.ts';
import { findMember, setRole } from './chat/members.ts';
import { messageAt, receiveMessage } from './chat/messages.ts';
import type { Chat, Role } from './chat/model.ts';
import type { ChannelMetadata, ContentTemplate, DeliveryStatus } from './chat/outside.ts';
import { addTemplate, type NewTemplate } from './chat/templates.ts';
import { refuse } from './errors.ts';
import { lookUp, storedMessage, type StoredMessage } from './inspect.ts';

/** A message from outside of the chat. */
export interface IncomingMessage {
  readonly body: string;
  /** What `getChannelMetadata` tells of it. */
  readonly metadata?: ChannelMetadata;
}

/**
 * What at Twilio happens in the Console, through the REST API or outside, and clients hear of.
 * Channels are given by sid or unique name.
 */
export interface Operate {
  /** Makes a member an admin of a channel, or an ordinary user of it. */
  setRole(channel: string, identity: string, role: Role): void;
  /** A participant who was added by an address answers. */
  receive(channel: string, address: string, message: IncomingMessage): StoredMessage;
  /** A message has got so far on its way to those who were added by an address. */
  reportDelivery(channel: string, index: number, status: DeliveryStatus): void;
  /** Adds a template that messages can be made of. */
  addTemplate(template: NewTemplate): ContentTemplate;
}

/** An honest operator, unlike the one of `tamper`. */
export function createOperate(chat: Chat): Operate {
  return {
    setRole(id, identity, role) {
      const channel = lookUp(chat, id);
      setRole(chat, channel, findMember(channel, identity), role);
    },
    receive(id, address, message) {
      const channel = lookUp(chat, id);
      const from = [...channel.outsiders.values()].find((one) => one.address === address);
      if (from === undefined) throw refuse('memberNotFound', address);
      return storedMessage(receiveMessage(chat, channel, from, message));
    },
    reportDelivery(id, index, status) {
      const channel = lookUp(chat, id);
      reportDelivery(chat, channel, messageAt(channel, index), status);
    },
    addTemplate: (template) => addTemplate(chat, template),
  };
}
