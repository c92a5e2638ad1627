import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import twilio from 'twilio';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { WebhookConfig, WebhookEvent } from '../src/index.ts';
import { createRoom } from './support/rooms.ts';
import { next } from './support/sdk.ts';
import { createWorld, SDKS } from './support/world.ts';

const AUTH_TOKEN = '0123456789abcdef0123456789abcdef';
const REFUSED = {
  status: 403,
  body: { code: 20403, message: 'Webhook cancelled processing of command' },
};

/** An application that is asked, and what it was asked. */
interface Application {
  readonly webhooks: WebhookConfig;
  /** What it heard, if the signature was right. */
  readonly events: Record<string, string>[];
  /** Its status for each event; null for no answer at all. */
  decide: (event: Record<string, string>) => number | null;
  readonly stop: () => void;
}

async function startApplication(
  wanted: Pick<WebhookConfig, 'product' | 'events'>,
): Promise<Application> {
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const event = Object.fromEntries(new URLSearchParams(text));
    const signature = String(request.headers['x-twilio-signature']);
    if (!twilio.validateRequest(AUTH_TOKEN, signature, webhooks.url, event)) {
      throw new Error('This is not signed as Twilio signs.');
    }
    application.events.push(event);
    const status = application.decide(event);
    if (status !== null) response.writeHead(status).end();
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(stop);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}/hook?a=1&b=é`;
  const webhooks: WebhookConfig = { url, authToken: AUTH_TOKEN, ...wanted, timeout: 200 };
  const application: Application = { webhooks, events: [], decide: () => 200, stop };
  return application;
}

describe.each(SDKS)('$name: the application', (sdk) => {
  async function setUp(events?: readonly WebhookEvent[]) {
    const application = await startApplication({ product, events });
    const { device, emulator } = await createWorld({ webhooks: application.webhooks });
    const [alice, bob] = [await device(sdk, 'alice'), await device(sdk, 'bob')];
    const [room, theirs] = await createRoom(emulator, alice, [bob]);
    if (theirs === undefined) expect.fail();
    const stored = () => emulator.inspect.messages(room.raw.sid);
    return { application, emulator, room: room.raw, theirs, stored };
  }
  const isChat = sdk.name === 'twilio-chat';
  const product = isChat ? 'chat' : 'conversations';

  test('is asked before a message is stored, in the words of its product', async () => {
    const { application, room, stored } = await setUp();
    application.decide = () => {
      expect(stored()).toEqual([]);
      return 200;
    };
    await room.sendMessage('é🦊 & more=1', { mood: 'good' });
    expect(stored()).toMatchObject([{ body: 'é🦊 & more=1' }]);
    expect(application.events).toMatchObject([
      {
        EventType: isChat ? 'onMessageSend' : 'onMessageAdd',
        [isChat ? 'ChannelSid' : 'ConversationSid']: room.sid,
        [isChat ? 'From' : 'Author']: 'alice',
        ClientIdentity: 'alice',
        Body: 'é🦊 & more=1',
        Attributes: '{"mood":"good"}',
        Source: 'SDK',
      },
    ]);
  });

  test('is asked about files too', async () => {
    const { application, room } = await setUp();
    await room.sendMessage({ contentType: 'text/plain', media: Buffer.from('plain') });
    const [event] = application.events;
    expect(event).toMatchObject(isChat ? { MediaContentType: 'text/plain', MediaSize: '5' } : {});
    if (!isChat) expect(event?.['Media']).toContain('"ContentType":"text/plain","Size":5');
    expect(event).not.toHaveProperty('Body');
  });

  test('refuses with 403, and then nothing is stored and nobody hears of it', async () => {
    const { application, room, theirs, stored } = await setUp();
    application.decide = ({ Body }) => (Body === 'no' ? 403 : 200);
    const heard = next(theirs, 'messageAdded');
    await expect(room.sendMessage('no')).rejects.toMatchObject(REFUSED);
    expect(await room.sendMessage('yes')).toBe(0);
    expect((await heard).body).toBe('yes');
    expect(stored()).toMatchObject([{ body: 'yes' }]);
  });

  test('is asked about edits, and refuses them', async () => {
    const { application, room, stored } = await setUp();
    await room.sendMessage('one');
    application.decide = ({ Body, Attributes }) =>
      Body === 'no' || Attributes === '1' ? 403 : 200;
    const [message] = (await room.getMessages()).items;
    await expect(message?.updateBody('no')).rejects.toMatchObject(REFUSED);
    await expect(message?.updateAttributes(1)).rejects.toMatchObject(REFUSED);
    await message?.updateBody('two');
    expect(stored()).toMatchObject([{ body: 'two', attributes: '{}' }]);
    expect(application.events.at(-1)).toMatchObject({
      EventType: 'onMessageUpdate',
      MessageSid: message?.sid,
      Body: 'two',
    });
  });

  test('is not asked about other things, and about those only that it wants to hear of', async () => {
    const { application, room } = await setUp(['onMessageUpdate']);
    application.decide = () => 403;
    await room.sendMessage('one');
    await room.updateFriendlyName('name');
    const [message] = (await room.getMessages()).items;
    await message?.remove();
    expect(application.events).toEqual([]);
  });

  test('has not said no when it fails, is late or is not there', async () => {
    const { application, room, stored } = await setUp();
    for (const status of [500, 503, 302, null]) {
      application.decide = () => status;
      await room.sendMessage(String(status));
    }
    application.stop();
    await room.sendMessage('gone');
    expect(stored().map(({ body }) => body)).toEqual(['500', '503', '302', 'null', 'gone']);
  });
});
