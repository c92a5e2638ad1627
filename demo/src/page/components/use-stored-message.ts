import { useEffect, useState } from 'react';
import type { MessageView } from '../models/message-view.ts';
import type { StoredMessage } from '../models/stored-message.ts';
import type { Session } from '../session/session.ts';
import { SETTINGS } from '../settings.ts';

/** What became of asking for a message as it is stored. */
export type StoredMessageState =
  | { readonly state: 'loading' }
  | { readonly state: 'failed' }
  | { readonly state: 'loaded'; readonly stored: StoredMessage };

/**
 * What Twilio has of a message: asked from the emulator's store, or on real Twilio what its SDK
 * delivers.
 */
export function useStoredMessage(
  { access, deliveredMessage }: Session,
  channelSid: string,
  message: MessageView,
): StoredMessageState {
  const [answer, setAnswer] = useState<{ message: MessageView; state: StoredMessageState }>();

  useEffect(() => {
    let isCurrent = true;
    const read = SETTINGS.emulated ? access.storedMessage : deliveredMessage;
    const show = (state: StoredMessageState): void => {
      if (isCurrent) setAnswer({ message, state });
    };
    read(channelSid, message.index).then(
      (stored) => {
        show({ state: 'loaded', stored });
      },
      () => {
        show({ state: 'failed' });
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [access, deliveredMessage, channelSid, message]);

  return answer?.message === message ? answer.state : { state: 'loading' };
}
