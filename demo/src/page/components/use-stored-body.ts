import { useEffect, useState } from 'react';
import type { MessageView } from '../models/message-view.ts';
import type { Session } from '../session/session.ts';
import { SETTINGS } from '../settings.ts';

/** What became of asking for a message's stored body. */
export type StoredBodyState =
  | { readonly state: 'loading' }
  | { readonly state: 'failed' }
  | { readonly state: 'loaded'; readonly body: string };

/**
 * What Twilio has of a message: asked from the emulator's store, or on real Twilio the text that
 * its SDK delivers.
 */
export function useStoredBody(
  { access, deliveredBody }: Session,
  channelSid: string,
  message: MessageView,
): StoredBodyState {
  const [answer, setAnswer] = useState<{ message: MessageView; state: StoredBodyState }>();

  useEffect(() => {
    let isCurrent = true;
    const read = SETTINGS.emulated ? access.storedBody : deliveredBody;
    const show = (state: StoredBodyState): void => {
      if (isCurrent) setAnswer({ message, state });
    };
    read(channelSid, message.index).then(
      (body) => {
        show({ state: 'loaded', body });
      },
      () => {
        show({ state: 'failed' });
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [access, deliveredBody, channelSid, message]);

  return answer?.message === message ? answer.state : { state: 'loading' };
}
