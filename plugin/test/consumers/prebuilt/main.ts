/** The script of a page that has one of Twilio's own bundles by a script tag, and the package beside it. */
import type TwilioConversations from '@twilio/conversations';
import type TwilioChat from 'twilio-chat';
import { Encryption } from 'twilio-chat-encryption';
import { chatDevice, conversationsDevice, type Device } from '../../integration/rooms.ts';
import { personOn, type Person } from './person.ts';

/** As whom to sign in. */
export interface Settings {
  readonly identity: string;
  /** The token server's session. */
  readonly session: string;
  /** For Twilio. */
  readonly token: string;
  readonly appKey: string;
  readonly logKey: string;
}

declare global {
  interface Window {
    enter(settings: Settings): Promise<void>;
    person: Person;
    /** What bundles define: each its own. */
    Twilio: { Chat: typeof TwilioChat; Conversations: typeof TwilioConversations };
  }
}

async function deviceOf({ identity, session, token, appKey, logKey }: Settings): Promise<Device> {
  const encryption = await Encryption.open({
    identity,
    server: location.origin,
    authorize: () => Promise.resolve(session),
    appKey,
    logKey,
    password: `password of ${identity}`,
  });
  const { Twilio } = window;
  if (Object.hasOwn(Twilio, 'Chat')) {
    const client = encryption.wrapClient(new Twilio.Chat.Client(token));
    await happens((done) => client.onWithReplay('stateChanged', done));
    return chatDevice(identity, client);
  }
  const client = encryption.wrapClient(new Twilio.Conversations.Client(token));
  await happens((done) => client.onWithReplay('initialized', done));
  return conversationsDevice(identity, client);
}

/** Waits for what calls `done`. */
function happens(when: (done: () => void) => unknown): Promise<void> {
  return new Promise((resolve) => {
    when(resolve);
  });
}

window.enter = async (settings) => {
  window.person = personOn(await deviceOf(settings));
};
