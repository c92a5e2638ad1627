/** docs/react.md is true: its code compiles with either SDK, and shows in Chromium what it says. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examplesOf, ROOT } from '../examples.ts';
import { twilioToken } from '../integration/accounts.ts';
import { openStage, type Stage } from './browser.ts';
import { withVite } from './bundlers.ts';
import { problemsIn } from './compile.ts';
import { install, type Consumer } from './consumer.ts';
import { ADDRESS } from './site.ts';

const DOCUMENT = await readFile(`${ROOT}docs/react.md`, 'utf8');
const CODE = examplesOf(DOCUMENT, 'tsx').join('\n');
const [CHAT_LINE = ''] = /^.*'twilio-chat';$/m.exec(CODE) ?? [];
const [CONVERSATIONS_LINE = ''] = examplesOf(DOCUMENT, 'ts');

const HTML = '<!doctype html><div id="root"></div><script type="module" src="./main.js"></script>';

/** The rest of the application: it signs in, and shows one channel. */
const main = (sdk: string, get: string): string => `
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Client } from '${sdk}';
import { Encryption } from 'twilio-chat-encryption';
import { Messages } from './messages.js';

const root = createRoot(document.getElementById('root'));

window.signIn = async ({ session, token, ...settings }) => {
  const encryption = await Encryption.open({
    ...settings,
    server: '${ADDRESS}',
    authorize: async () => session,
    password: 'password of the device',
  });
  window.client = encryption.wrapClient(new Client(token));
  await new Promise((resolve) => client.on('stateChanged', resolve));
};

window.show = async (sid) => {
  window.channel = await client.${get}(sid);
  root.render(<StrictMode><Messages key={sid} channel={channel} /></StrictMode>);
};

window.leave = () => root.unmount();
`;

declare global {
  interface Window {
    signIn(settings: {
      readonly identity: string;
      readonly session: string;
      readonly token: string;
      readonly appKey: string;
      readonly logKey: string;
    }): Promise<void>;
    show(sid: string): Promise<void>;
    leave(): void;
    channel: { listenerCount(event: string): number };
  }
}

describe.each([
  { sdk: 'twilio-chat', get: 'getChannelBySid', code: CODE },
  {
    sdk: '@twilio/conversations',
    get: 'getConversationBySid',
    code: CODE.replace(CHAT_LINE, CONVERSATIONS_LINE.trim()),
  },
])('the code of docs/react.md with $sdk', ({ sdk, get, code }) => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await install([sdk, 'react', 'react-dom', '@types/react', '@types/react-dom']);
  });

  afterAll(() => consumer.remove());

  test('compiles', async () => {
    expect(code).toContain(sdk);
    // Its types are there when any file of an application imports the library.
    const files = { 'messages.tsx': code, 'encryption.ts': "import 'twilio-chat-encryption';" };
    const paths = Object.keys(files).map((name) => join(consumer.folder, name));
    await Promise.all(Object.values(files).map((text, at) => writeFile(paths[at] ?? '', text)));
    expect(problemsIn(paths, { jsx: ts.JsxEmit.ReactJSX, skipLibCheck: true })).toEqual([]);
  });

  describe('in Chromium', () => {
    let stage: Stage;
    let page: Page;
    let complaints: readonly string[];

    beforeAll(async () => {
      await consumer.write('messages.tsx', code);
      await consumer.write('main.tsx', main(sdk, get));
      await consumer.write('index.html', HTML);
      const build = await withVite(consumer.folder);
      stage = await openStage();
      const { world } = stage;
      ({ page, complaints } = await stage.visit(build.folder));
      const session = await world.signUp('alice');
      const token = await twilioToken(world.server, session);
      await page.waitForFunction(() => 'signIn' in window);
      const settings = {
        identity: 'alice',
        session,
        token,
        appKey: world.appKey,
        logKey: world.logKey,
      };
      await page.evaluate((all) => window.signIn(all), settings);
    });

    afterAll(() => stage.close());

    const lines = (): Promise<string[]> => page.getByRole('listitem').allInnerTexts();

    test('shows every state as it is, and what changes', async () => {
      const { bob, world } = stage;
      const channel = await bob.client.createChannel({ isPrivate: true });
      await channel.join();
      await channel.sendMessage('before she came');
      await channel.add('alice');
      await channel.sendMessage('hello alice');
      await page.evaluate((sid) => window.show(sid), channel.sid);
      const unavailable = 'This message was not encrypted for this device (SENT_BEFORE_JOIN).';
      await expect.poll(lines).toEqual([unavailable, 'bob: hello alice']);

      const { items } = await channel.getMessages();
      await items.at(-1)?.updateBody('hello, alice');
      await channel.sendMessage('to be removed');
      await expect.poll(lines).toEqual([unavailable, 'bob: hello, alice', 'bob: to be removed']);
      world.emulator.tamper.remove(channel.sid, 2);
      world.emulator.tamper.inject(channel.sid, { author: 'bob', body: 'I owe you 100' });
      const rejected = 'Not shown: forged, changed or not encrypted (PLAINTEXT).';
      await expect.poll(lines).toEqual([unavailable, 'bob: hello, alice', rejected]);
    });

    test('shows that a message is not decided yet, and then what it is', async () => {
      const { world } = stage;
      const dave = await world.person('dave');
      const channel = await dave.client.createChannel({ isPrivate: true });
      await channel.join();
      await channel.add('alice');
      await page.route('**/v1/cards/**', (route) => route.abort());
      await page.evaluate((sid) => window.show(sid), channel.sid);
      await channel.sendMessage('hello');
      const pending = 'Waiting for what is needed to read this message…';
      await expect.poll(lines).toEqual([pending]);
      await page.unroute('**/v1/cards/**');
      await expect.poll(lines).toEqual(['dave: hello']);
    });

    test('listens to nothing any more when it is gone, and the console is empty', async () => {
      const count = (): Promise<number> =>
        page.evaluate(() => window.channel.listenerCount('messageAdded'));
      expect(await count()).toBe(1);
      await page.evaluate(() => {
        window.leave();
      });
      await expect.poll(count).toBe(0);
      // The one that the test itself cut off.
      expect(complaints.filter((one) => !one.includes('net::ERR_FAILED'))).toEqual([]);
    });
  });
});
