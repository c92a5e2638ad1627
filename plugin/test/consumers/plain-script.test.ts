/** docs/plain-script.md is true: its page works in Chromium with the packages as npm installs them. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deriveAuthSecret } from 'twilio-chat-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examplesOf, ROOT } from '../examples.ts';
import { signUp } from '../integration/accounts.ts';
import { openStage, type Stage } from './browser.ts';
import { install, type Consumer } from './consumer.ts';
import { ADDRESS } from './site.ts';

const DOCUMENT = await readFile(`${ROOT}docs/plain-script.md`, 'utf8');
const [PAGE = ''] = examplesOf(DOCUMENT, 'html');
const [COMMAND = ''] = examplesOf(DOCUMENT, 'sh');
const [IMPORTS = ''] = examplesOf(DOCUMENT, 'json');
const OTHER_NAMES = [...DOCUMENT.matchAll(/^\| `(.+?)` +\| `(.+?)` +\|$/gm)];

/** Replaces what must be there. */
function swap(page: string, from: string, to: string): string {
  expect(page).toContain(from);
  return page.replaceAll(from, to);
}

/** The page for the other SDK, as the table says. */
function forConversations(page: string): string {
  expect(OTHER_NAMES).toHaveLength(3);
  return OTHER_NAMES.reduce((changed, [, from = '', to = '']) => swap(changed, from, to), page);
}

function withImports(page: string, imports: string): string {
  const [, current = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(page) ?? [];
  return swap(page, current, imports);
}

describe('the page of docs/plain-script.md', () => {
  let stage: Stage;
  let consumer: Consumer;

  beforeAll(async () => {
    stage = await openStage();
    consumer = await install(['twilio-chat', '@twilio/conversations']);
    // A name is in the clear, so the wrapped client refuses it.
    const channel = await stage.bob.raw.createChannel({ uniqueName: 'general', isPrivate: true });
    await channel.join();
  });

  afterAll(async () => {
    await consumer.remove();
    await stage.close();
  });

  /** Opens the page as somebody, and talks with Bob. Gives what was loaded. */
  async function talk(page: string, identity: string): Promise<readonly string[]> {
    const { world, bob } = stage;
    const secret = await deriveAuthSecret('correct horse battery staple', identity, ADDRESS);
    await signUp(world.server, identity, secret);
    world.emulator.tamper.addMember('general', identity);
    const [, appKey = ''] = /appKey: '(.+?)'/.exec(page) ?? [];
    const [, logKey = ''] = /logKey: '(.+?)'/.exec(page) ?? [];
    const pinned = swap(swap(page, appKey, world.appKey), logKey, world.logKey);
    const settled = swap(pinned, `'alice'`, `'${identity}'`);
    await consumer.write('index.html', settled);
    const { page: window, loaded, complaints } = await stage.visit(consumer.folder);
    const input = window.getByRole('textbox', { name: 'Message' });
    await input.fill('hello bob');
    await input.press('Enter');
    await window.getByText(`${identity}: hello bob`).waitFor();
    const channel = await bob.client.getChannelByUniqueName('general');
    const { items } = await channel.getMessages();
    const { body, encryption } = items.at(-1) ?? {};
    expect({ body, encryption }).toMatchObject({
      body: 'hello bob',
      encryption: { status: 'verified', sender: { identity } },
    });
    await channel.sendMessage(`hello ${identity}`);
    await window.getByText(`bob: hello ${identity}`).waitFor();
    world.emulator.tamper.inject('general', { author: 'bob', body: 'I owe you' });
    await window.getByText('[rejected: PLAINTEXT]').first().waitFor();
    expect(complaints).toEqual([]);
    return loaded;
  }

  test('talks with an import map, and does not load X-Wing', async () => {
    const loaded = await talk(PAGE, 'alice');
    expect(loaded).toContain('node_modules/twilio-chat-encryption/dist/index.js');
    expect(loaded.filter((path) => path.includes('post-quantum'))).toEqual([]);
  });

  test('talks with Conversations', async () => {
    await talk(forConversations(PAGE), 'carol');
  });

  test('talks with the few files that esbuild makes', async () => {
    const [, ...args] = COMMAND.trim().split(' ');
    const esbuild = join(ROOT, 'node_modules/.bin', args.shift() ?? '');
    await promisify(execFile)(esbuild, args, { cwd: consumer.folder });
    const loaded = await talk(withImports(PAGE, IMPORTS), 'dave');
    const own = loaded.filter((path) => !path.includes('twilio-chat/'));
    // The page itself, and what the rest shares with what is loaded on demand.
    expect(own.length).toBeLessThan(20);
  });
});
