/**
 * Twilio's own bundles for browsers, by a script tag, with the package in one file, as docs/plain-script.md says. They
 * are not npm's builds: that of twilio-chat has an older sync library, which pages otherwise.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examplesOf, ROOT } from '../examples.ts';
import { twilioToken } from '../integration/accounts.ts';
import { chatDevice, conversationsDevice } from '../integration/rooms.ts';
import { seenBy } from '../integration/seen.ts';
import { openStage, type Stage } from './browser.ts';
import { install, type Consumer } from './consumer.ts';
import { personOn, type Person } from './prebuilt/person.ts';

const DOCUMENT = await readFile(`${ROOT}docs/plain-script.md`, 'utf8');
const [COMMAND = ''] = examplesOf(DOCUMENT, 'sh');
const [IMPORTS = ''] = examplesOf(DOCUMENT, 'json');
const BUNDLES = {
  'twilio-chat.js': 'twilio-chat/builds/twilio-chat.js',
  'twilio-conversations.js': '@twilio/conversations/builds/twilio-conversations.js',
} as const;
const SOURCES = [
  'consumers/prebuilt/main.ts',
  'consumers/prebuilt/person.ts',
  'integration/rooms.ts',
  'integration/next.ts',
];
// More than a message brings its key for: these need key messages.
const CROWD = Array.from({ length: 16 }, (_, index) => `member ${index}`);

type Bundle = keyof typeof BUNDLES;
type Build = Bundle | 'twilio-chat of npm' | 'Conversations of npm';

const PAIRS: readonly (readonly [Build, Build])[] = [
  ['twilio-chat.js', 'twilio-chat.js'],
  ['twilio-conversations.js', 'twilio-conversations.js'],
  ['twilio-chat.js', 'twilio-conversations.js'],
  ['twilio-chat of npm', 'twilio-conversations.js'],
  ['Conversations of npm', 'twilio-chat.js'],
];

let stage: Stage;
let sites: Record<Bundle, Consumer>;
const complaints: (readonly string[])[] = [];
let people = 0;

beforeAll(async () => {
  stage = await openStage();
  sites = {
    'twilio-chat.js': await siteOf('twilio-chat.js'),
    'twilio-conversations.js': await siteOf('twilio-conversations.js'),
  };
  await stage.world.crowd(CROWD);
});

afterAll(async () => {
  for (const site of Object.values(sites)) await site.remove();
  await stage.close();
});

interface Somebody extends Person {
  readonly identity: string;
  /** Starts a page anew: what it knew of the history is gone. */
  readonly again: () => Promise<void>;
}

/** Somebody new with this build. */
async function somebody(build: Build): Promise<Somebody> {
  const { world } = stage;
  const identity = `person ${(people += 1)}`;
  const again = (): Promise<void> => Promise.resolve();
  if (build === 'twilio-chat of npm') {
    const { client } = await world.person(identity);
    return { identity, again, ...personOn(chatDevice(identity, client)) };
  }
  if (build === 'Conversations of npm') {
    const person = await world.person(identity);
    const client = person.encryption.wrapClient(await world.conversations(person));
    return { identity, again, ...personOn(conversationsDevice(identity, client)) };
  }
  const page = await pageWith(build);
  const session = await world.signUp(identity);
  const enter = async (): Promise<void> => {
    await page.waitForFunction(() => 'enter' in window);
    const token = await twilioToken(world.server, session);
    const settings = {
      identity,
      session,
      token,
      appKey: world.appKey,
      logKey: world.logKey,
    };
    await page.evaluate((all) => window.enter(all), settings);
  };
  await enter();
  return {
    identity,
    ...personIn(page),
    async again() {
      await page.reload();
      await enter();
    },
  };
}

/** A page in a browser of its own that has this bundle. */
async function pageWith(build: Bundle): Promise<Page> {
  const visited = await stage.visit(sites[build].folder);
  complaints.push(visited.complaints);
  await visited.page.waitForFunction(() => 'enter' in window);
  expect(visited.loaded).toContain(`node_modules/${BUNDLES[build]}`);
  return visited.page;
}

/** An application's folder with the page for this bundle. */
async function siteOf(build: Bundle): Promise<Consumer> {
  const site = await install(['twilio-chat', '@twilio/conversations']);
  await site.write('index.html', pageOf(build));
  const [, ...args] = COMMAND.trim().split(' ');
  const esbuild = join(ROOT, 'node_modules/.bin', args.shift() ?? '');
  await promisify(execFile)(esbuild, args, { cwd: site.folder });
  for (const source of SOURCES) {
    await site.write(source, await readFile(join(ROOT, 'plugin/test', source), 'utf8'));
  }
  return site;
}

function pageOf(build: Bundle): string {
  return [
    '<!doctype html><title>Chat</title>',
    `<script src="/node_modules/${BUNDLES[build]}"></script>`,
    `<script type="importmap">${IMPORTS}</script>`,
    '<script type="module" src="/consumers/prebuilt/main.js"></script>',
  ].join('\n');
}

function personIn(page: Page): Person {
  return {
    create: () => page.evaluate(() => window.person.create()),
    add: (...args) => page.evaluate((all) => window.person.add(...all), args),
    open: (...args) => page.evaluate((all) => window.person.open(...all), args),
    memberCount: (...args) => page.evaluate((all) => window.person.memberCount(...all), args),
    send: (...args) => page.evaluate((all) => window.person.send(...all), args),
    sendFile: (...args) => page.evaluate((all) => window.person.sendFile(...all), args),
    edit: (...args) => page.evaluate((all) => window.person.edit(...all), args),
    told: (...args) => page.evaluate((all) => window.person.told(...all), args),
    file: (...args) => page.evaluate((all) => window.person.file(...all), args),
    backwards: (...args) => page.evaluate((all) => window.person.backwards(...all), args),
    forwards: (...args) => page.evaluate((all) => window.person.forwards(...all), args),
  };
}

describe.each(PAIRS)('%s with %s', (one, other) => {
  test('a text, an edit, a file and the history, and nobody between reads it', async () => {
    const [alice, bob] = await Promise.all([somebody(one), somebody(other)]);
    const { emulator } = stage.world;
    const sid = await alice.create();
    await alice.add(sid, bob.identity);
    await bob.open(sid);
    for (const identity of CROWD) emulator.tamper.addMember(sid, identity);
    for (const person of [alice, bob]) {
      await expect.poll(() => person.memberCount(sid)).toBe(CROWD.length + 2);
    }

    for (let at = 0; at < 4; at++) {
      await alice.send(sid, `elbow joint ${at}`, { temperament: `very sour ${at}` });
      await bob.send(sid, `kneecap ${at}`, { temperament: `very sweet ${at}` });
    }
    const said = Array.from({ length: 4 }, (_, at) => [
      {
        author: alice.identity,
        body: `elbow joint ${at}`,
        attributes: { temperament: `very sour ${at}` },
      },
      {
        author: bob.identity,
        body: `kneecap ${at}`,
        attributes: { temperament: `very sweet ${at}` },
      },
    ]).flat();
    const verified = said.map((words) => ({ ...words, status: 'verified', anomalies: 0 }));
    for (const person of [alice, bob]) {
      await expect.poll(() => person.told(sid)).toMatchObject(verified);
    }
    // Each opened a session: two of the ten are key messages.
    expect(emulator.inspect.messages(sid)).toHaveLength(10);

    const [first] = await alice.told(sid);
    await alice.edit(sid, first?.index ?? NaN, 'shoulder');
    await expect
      .poll(async () => (await bob.told(sid))[0])
      .toMatchObject({
        ...verified[0],
        body: 'shoulder',
      });

    const index = (await bob.sendFile(sid, 'the diagnosis')) ?? NaN;
    await expect
      .poll(async () => (await alice.told(sid)).at(-1))
      .toMatchObject({
        index,
        status: 'verified',
        anomalies: 0,
      });
    expect(await alice.file(sid, index)).toBe('the diagnosis');

    const all = [
      { ...verified[0], body: 'shoulder' },
      ...verified.slice(1),
      { author: bob.identity, body: null, status: 'verified', anomalies: 0 },
    ];
    for (const person of [alice, bob]) {
      await person.again();
      await person.open(sid);
      const back = await person.backwards(sid, 3);
      // As long as was asked for, though key messages stand in them, and before the first.
      expect(back.map(({ length }) => length)).toEqual([3, 3, 3]);
      expect(back.toReversed().flat()).toMatchObject(all);
      const forth = await person.forwards(sid, 3);
      expect(forth.map(({ length }) => length)).toEqual([3, 3, 3]);
      expect(forth.flat()).toMatchObject(all);
    }

    const seen = seenBy(emulator);
    expect(seen).toContain('e2e1.');
    expect(seen).not.toMatch(
      /elbow joint|kneecap|shoulder|temperament|very sour|very sweet|diagnosis|text\/plain/,
    );
  });
});

test.each(['twilio-chat.js', 'twilio-conversations.js'] as const)(
  '%s sends a text while a file is uploaded',
  async (build) => {
    const alice = await somebody(build);
    const { emulator } = stage.world;
    const sid = await alice.create();
    const { promise: arrives, resolve } = Promise.withResolvers<undefined>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<null>();
    const end = emulator.tamper.onRequest(({ method, path }) => {
      if (method !== 'POST' || !path.includes('/Media')) return undefined;
      end();
      begin(null);
      return arrives;
    });
    const sending = alice.sendFile(sid, 'the diagnosis');
    await begun;
    expect(await alice.send(sid, 'kneecap', {})).toBe(0);
    resolve(undefined);
    expect(await sending).toBe(1);
    await expect
      .poll(() => alice.told(sid))
      .toMatchObject([
        { status: 'verified', anomalies: 0 },
        { status: 'verified', anomalies: 0 },
      ]);
  },
);

test('no page complained', () => {
  expect(complaints.flat()).toEqual([]);
});
