/** The application that every bundler builds, as one would write it: nothing here is for a bundler. */
import { Client } from 'twilio-chat';
import { Encryption } from 'twilio-chat-encryption';

/** Who opens the chat. */
export interface Settings {
  readonly identity: string;
  /** With the token server, which serves the page too. */
  readonly session: string;
  readonly appKey: string;
  readonly logKey: string;
  readonly postQuantum: boolean;
}

/** An open chat. */
export interface Chat {
  send(channelSid: string, text: string): Promise<void>;
  /** The messages of a channel, each as who is verified to have written it and what. */
  read(channelSid: string): Promise<readonly string[]>;
}

export async function openChat({ session, ...settings }: Settings): Promise<Chat> {
  const encryption = await Encryption.open({
    ...settings,
    server: location.origin,
    authorize: () => Promise.resolve(session),
    password: 'password of the device',
  });
  const client = encryption.wrapClient(new Client(await twilioToken(session)));
  await new Promise((resolve) => client.on('stateChanged', resolve));
  return {
    async send(channelSid, text) {
      await (await client.getChannelBySid(channelSid)).sendMessage(text);
    },
    async read(channelSid) {
      const { items } = await (await client.getChannelBySid(channelSid)).getMessages();
      return items.map(({ body, encryption: known }) =>
        known.status === 'verified' ? `${known.sender.identity}: ${body}` : known.code,
      );
    },
  };
}

async function twilioToken(session: string): Promise<string> {
  const headers = { authorization: `Bearer ${session}` };
  const response = await fetch('/v1/twilio-token', { headers });
  const { token } = (await response.json()) as { readonly token: string };
  return token;
}
