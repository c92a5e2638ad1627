/** One tab, or process, of a person's device, driven from outside. Runs in browsers and in Node. */
import { Client, type Channel, type Message } from 'twilio-chat';
import { Encryption, isEncryptionError, type KeyStore } from 'twilio-chat-encryption';

/** Where and as whom a tab signs in. */
export interface TabOptions {
  readonly identity: string;
  /** The token server's session. */
  readonly session: string;
  readonly server: string;
  readonly appKey: string;
  readonly logKey: string;
  /** The emulator's address for websockets. */
  readonly socket: string;
}

/** A message as a tab shows it. */
export interface Shown {
  readonly body: string;
  /** `verified`, or what else it is and why. */
  readonly status: string;
  readonly anomalies: readonly string[];
}

/** What a tab does. */
export interface Tab {
  readonly cardId: () => Promise<string>;
  /** Opens a channel: from then on the tab is told of messages. */
  readonly join: (channelSid: string) => Promise<void>;
  /** Sends one message after the other; gives of each its index, or why it was not sent. */
  readonly send: (channelSid: string, bodies: readonly string[]) => Promise<readonly string[]>;
  /** Edits the first message: the part of this name is this text from then on. */
  readonly edit: (
    channelSid: string,
    change: readonly [part: 'body' | 'attributes', text: string],
  ) => Promise<void>;
  /** What it was told of since it joined, in the order of the channel. */
  readonly told: (channelSid: string) => Promise<readonly Shown[]>;
  /** The whole channel. */
  readonly history: (channelSid: string) => Promise<readonly Shown[]>;
}

export async function openTab(options: TabOptions, keyStore?: KeyStore): Promise<Tab> {
  const { identity, session, server, appKey, logKey, socket } = options;
  const encryption = await Encryption.open({
    identity,
    server,
    authorize: () => Promise.resolve(session),
    appKey,
    logKey,
    password: `password of ${identity}`,
    ...(keyStore && { keyStore }),
  });
  const raw = new Client(await twilioToken(options), { Twilsock: { uri: socket } });
  await new Promise((resolve) => raw.on('stateChanged', resolve));
  const client = encryption.wrapClient(raw);
  const told = new Map<string, Message[]>();

  async function join(channelSid: string): Promise<void> {
    const channel = await client.getChannelBySid(channelSid);
    const messages: Message[] = [];
    told.set(channelSid, messages);
    channel.on('messageAdded', (message) => messages.push(message));
    // Reading the members opens the message list.
    await channel.getMembers();
  }

  async function sendOne(channel: Channel, body: string): Promise<string> {
    try {
      return String(await channel.sendMessage(body));
    } catch (error) {
      return isEncryptionError(error) ? error.code : String(error);
    }
  }

  return {
    cardId: () => Promise.resolve(encryption.cardId),
    join,
    async send(channelSid, bodies) {
      const channel = await client.getChannelBySid(channelSid);
      const outcomes: string[] = [];
      for (const body of bodies) outcomes.push(await sendOne(channel, body));
      return outcomes;
    },
    async edit(channelSid, [part, text]) {
      const channel = await client.getChannelBySid(channelSid);
      const [message] = (await channel.getMessages(1, 0, 'forward')).items;
      if (part === 'body') await message?.updateBody(text);
      else await message?.updateAttributes(text);
    },
    told(channelSid) {
      const messages = told.get(channelSid) ?? [];
      return Promise.resolve(messages.toSorted((a, b) => a.index - b.index).map(shown));
    },
    async history(channelSid) {
      const channel = await client.getChannelBySid(channelSid);
      let page = await channel.getMessages(30);
      const messages = [...page.items];
      while (page.hasPrevPage) {
        page = await page.prevPage();
        messages.unshift(...page.items);
      }
      return messages.map(shown);
    },
  };
}

/** A message as plain data. */
export function shown({ body, encryption }: Message): Shown {
  if (encryption.status !== 'verified') {
    return { body, status: `${encryption.status} ${encryption.code}`, anomalies: [] };
  }
  return { body, status: 'verified', anomalies: encryption.anomalies.map(({ code }) => code) };
}

async function twilioToken({ server, session }: TabOptions): Promise<string> {
  const headers = { authorization: `Bearer ${session}` };
  const response = await fetch(new URL('/v1/twilio-token', server), { headers });
  const answer: unknown = await response.json();
  if (typeof answer === 'object' && answer !== null && 'token' in answer) {
    return String(answer.token);
  }
  throw new Error(`No Twilio token: ${JSON.stringify(answer)}`);
}
