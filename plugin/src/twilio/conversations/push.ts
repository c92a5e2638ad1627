import type { PushNotification } from '@twilio/conversations';
import { facade } from '../core/facade.ts';
import { once } from '../core/once.ts';
import { PUSH_BODY, PUSH_TITLE } from '../core/push-text.ts';
import { PUSH_RULES } from './rules.ts';

/** The facade of a push notification: that there is a message, and which. */
export const pushFacade = once((raw: PushNotification): PushNotification => {
  const { conversationSid, messageSid, messageIndex } = raw.data;
  return facade(
    raw,
    PUSH_RULES,
    {
      title: PUSH_TITLE,
      body: PUSH_BODY,
      data: {
        ...(conversationSid !== undefined && { conversationSid }),
        ...(messageSid !== undefined && { messageSid }),
        ...(messageIndex !== undefined && { messageIndex }),
      },
    },
    false,
  );
});
