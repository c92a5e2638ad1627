import { memberOf } from './items.ts';
import type { Channel, Chat } from './model.ts';

/** For how long a sign of typing holds, in seconds. */
export const TYPING_TIMEOUT_S = 5;

/** Tells the other members that someone is typing. Nothing of it is stored. */
export function announceTyping(chat: Chat, channel: Channel, identity: string): void {
  const { sid } = memberOf(channel, identity);
  for (const other of channel.members.keys()) {
    if (other === identity) continue;
    chat.notify(other, 'twilio.ipmsg.typing_indicator', {
      channel_sid: channel.sid,
      identity,
      member_sid: sid,
      typing_timeout: TYPING_TIMEOUT_S,
    });
  }
}
