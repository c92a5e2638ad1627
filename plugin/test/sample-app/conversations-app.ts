/** A small chat application, written for the bare Conversations SDK: it knows nothing of encryption. */
import type { Client, Conversation, Message, Participant } from '@twilio/conversations';
import type { Screen } from './screen.ts';

const PAGE = 4;

export function startConversationsApp(client: Client): Screen {
  let conversation: Conversation | null = null;
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

  function current(): Conversation {
    if (!conversation) throw new Error('Nothing is open.');
    return conversation;
  }

  function newestOwn(): Message {
    const own = shown.findLast(({ author }) => author === client.user.identity);
    if (!own) throw new Error('There is no own message.');
    return own;
  }

  function watch(watched: Conversation): void {
    watched.on('messageAdded', (message) => {
      shown = [...shown, message];
      void draw();
    });
    watched.on('messageUpdated', () => void draw());
    watched.on('messageRemoved', (message) => {
      shown = shown.filter((one) => one !== message);
      void draw();
    });
    watched.on('typingStarted', ({ identity }: Participant) => typing.add(identity ?? ''));
    watched.on('typingEnded', ({ identity }: Participant) => typing.delete(identity ?? ''));
  }

  return {
    async list() {
      const { items } = await client.getSubscribedConversations();
      return Promise.all(
        items.map(async (one) => `${one.sid} ${(await one.getUnreadMessagesCount()) ?? 'new'}`),
      );
    },
    async open(sid) {
      conversation = await client.getConversationBySid(sid);
      await conversation.getParticipants();
      watch(conversation);
      let page = await conversation.getMessages(PAGE);
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
      await current()
        .prepareMessage()
        .setBody(`look at ${name}`)
        .addMedia({ contentType: 'text/plain', filename: name, media: Buffer.from(bytes) })
        .buildAndSend();
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
      await current().setAllMessagesRead();
    },
  };
}

async function line(message: Message): Promise<string> {
  const files = await Promise.all(
    (message.attachedMedia ?? []).map(async (file) => {
      const response = await fetch((await file.getContentTemporaryUrl()) ?? '');
      return ` [${file.filename ?? '?'}, ${file.contentType}, ${file.size}: ${await response.text()}]`;
    }),
  );
  const { author, body, attributes } = message;
  return `${author ?? '?'}: ${body ?? ''}${files.join('')} ${JSON.stringify(attributes)}`;
}
