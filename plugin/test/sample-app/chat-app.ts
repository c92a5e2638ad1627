/** A small chat application, written for the bare twilio-chat: it knows nothing of encryption. */
import type { Channel, Client, Media, Member, Message } from 'twilio-chat';
import type { Screen } from './screen.ts';

const PAGE = 4;

export function startChatApp(client: Client): Screen {
  let channel: Channel | null = null;
  let shown: readonly Message[] = [];
  let lines: readonly string[] = [];
  let hasOlder = false;
  let older: () => Promise<void> = () => Promise.resolve();
  const typing = new Set<string>();

  // What was asked for first may be there last.
  let asked = 0;
  async function draw(): Promise<void> {
    asked += 1;
    const mine = asked;
    const drawn = await Promise.all(shown.map(line));
    if (mine === asked) lines = drawn;
  }

  function current(): Channel {
    if (!channel) throw new Error('Nothing is open.');
    return channel;
  }

  function newestOwn(): Message {
    const own = shown.findLast(({ author }) => author === client.user.identity);
    if (!own) throw new Error('There is no own message.');
    return own;
  }

  function watch(watched: Channel): void {
    watched.on('messageAdded', (message) => {
      shown = [...shown, message];
      void draw();
    });
    watched.on('messageUpdated', () => void draw());
    watched.on('messageRemoved', (message) => {
      shown = shown.filter((one) => one !== message);
      void draw();
    });
    watched.on('typingStarted', ({ identity }: Member) => typing.add(identity));
    watched.on('typingEnded', ({ identity }: Member) => typing.delete(identity));
  }

  return {
    async list() {
      const { items } = await client.getSubscribedChannels();
      return Promise.all(
        items.map(async (one) => `${one.sid} ${(await one.getUnconsumedMessagesCount()) ?? 'new'}`),
      );
    },
    async open(sid) {
      channel = await client.getChannelBySid(sid);
      await channel.getMembers();
      watch(channel);
      let page = await channel.getMessages(PAGE);
      shown = page.items;
      hasOlder = page.hasPrevPage;
      older = async () => {
        page = await page.prevPage();
        shown = [...page.items, ...shown];
        hasOlder = page.hasPrevPage;
        await draw();
      };
      await draw();
    },
    get messages() {
      return lines;
    },
    get hasOlder() {
      return hasOlder;
    },
    older: () => older(),
    get typing() {
      return [...typing];
    },
    type: () => current().typing(),
    async say(text) {
      await current().sendMessage(text, { likes: 0 });
    },
    async attach(name, bytes) {
      // In Node this SDK sends no name with a file: the application puts it among the attributes.
      const media = Buffer.from(bytes);
      await current().sendMessage({ contentType: 'text/plain', media }, { name });
    },
    async correct(text) {
      await newestOwn().updateBody(text);
    },
    async react(reaction) {
      await newestOwn().updateAttributes({ reaction });
    },
    async take() {
      await newestOwn().remove();
    },
    async markRead() {
      await current().setAllMessagesConsumed();
    },
  };
}

async function line(message: Message): Promise<string> {
  const { author, body, attributes } = message;
  const said = message.type === 'media' ? await file(message.media) : body;
  return `${author}: ${said} ${JSON.stringify(attributes)}`;
}

async function file(media: Media): Promise<string> {
  const response = await fetch(await media.getContentTemporaryUrl());
  return `[${media.contentType}, ${media.size}: ${await response.text()}]`;
}
