import { newSid } from '../sids.ts';
import type { Message } from './data.ts';
import type { Channel, Chat } from './model.ts';
import type { Delivery, DeliveryStatus, DeliverySummary } from './outside.ts';

/** What a status says of the earlier steps: what was read was delivered and sent too. */
const STEPS: Record<DeliveryStatus, readonly DeliveryStatus[]> = {
  sent: ['sent'],
  delivered: ['sent', 'delivered'],
  read: ['sent', 'delivered', 'read'],
  undelivered: ['sent', 'undelivered'],
  failed: ['failed'],
};

/** Sends a message on to the outsiders of the channel; null if there are none. */
export function sendOutside(
  chat: Chat,
  channel: Channel,
  messageSid: string,
): DeliverySummary | null {
  if (channel.outsiders.size === 0) return null;
  const today = chat.today();
  const deliveries = [...channel.outsiders.values()].map((to): Delivery => ({
    sid: newSid('DY'),
    carrierSid: newSid('SM'),
    ...{ messageSid, to, status: 'sent' },
    ...{ dateCreated: today, dateUpdated: today },
  }));
  channel.deliveries.set(messageSid, deliveries);
  return summaryOf(deliveries);
}

/** Notes how far a message has got on its way to all outsiders, and tells everyone. */
export function reportDelivery(
  chat: Chat,
  channel: Channel,
  { key, data }: Message,
  status: DeliveryStatus,
): void {
  const deliveries = channel.deliveries.get(data.sid) ?? [];
  for (const delivery of deliveries) Object.assign(delivery, { status, dateUpdated: chat.today() });
  chat.sync.putItem(channel.messages, key, { ...data, delivery: summaryOf(deliveries) });
}

function summaryOf(deliveries: readonly Delivery[]): DeliverySummary {
  const reached = (step: DeliveryStatus): 'none' | 'some' | 'all' => {
    const { length } = deliveries.filter(({ status }) => STEPS[status].includes(step));
    if (length === 0) return 'none';
    return length === deliveries.length ? 'all' : 'some';
  };
  return {
    total: deliveries.length,
    sent: reached('sent'),
    delivered: reached('delivered'),
    read: reached('read'),
    undelivered: reached('undelivered'),
    failed: reached('failed'),
  };
}
