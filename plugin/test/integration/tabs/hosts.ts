/** Where several tabs of one device run: pages of one browser, or processes on one folder. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { build } from 'vite';
import { launchOptions } from '../../../../chromium.ts';
import type { Answer, Call, Start } from './process-worker.ts';
import type { Tab, TabOptions } from './tab.ts';

/** A tab that can die. */
export interface RemoteTab extends Tab {
  /** Ends it at once, as a crash does. */
  readonly kill: () => Promise<void>;
}

/** One browser, or one folder: all its tabs of one identity are one device. */
export interface Device {
  readonly open: (options: Omit<TabOptions, 'server'>) => Promise<RemoteTab>;
  /** Deletes all that is stored, while tabs are open. */
  readonly forget: () => Promise<void>;
  /** Whether something is stored. */
  readonly isThere: () => Promise<boolean>;
}

/** Makes devices. */
export interface Host {
  device(): Promise<Device>;
  close(): Promise<void>;
}

/** Pages of a Chromium; each device is a browser context of its own. */
export async function browserHost(server: string): Promise<Host> {
  const script = await bundle();
  const pages = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path.startsWith('/v1/')) {
      void forward(server, request, response);
    } else if (path === '/page.js') {
      response.setHeader('content-type', 'text/javascript; charset=utf-8').end(script);
    } else {
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end('<script src="/page.js"></script>');
    }
  });
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  const address = pages.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const url = `http://127.0.0.1:${address.port}`;
  const browser = await chromium.launch(await launchOptions());
  return {
    device: async () => browserDevice(await browser.newContext(), url),
    async close() {
      await browser.close();
      pages.close();
      pages.closeAllConnections();
    },
  };
}

async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    resolve: { conditions: ['twilio-chat-encryption-source', 'module', 'browser'] },
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      lib: { entry: join(import.meta.dirname, 'page.ts'), formats: ['iife'], name: 'page' },
    },
  });
  const outputs = (Array.isArray(built) ? built : 'output' in built ? [built] : []).flatMap(
    ({ output }) => output,
  );
  const [chunk] = outputs;
  if (chunk?.type !== 'chunk') throw new Error('The page was not built.');
  return chunk.code;
}

// One origin for the page and the token server, as in an application.
async function forward(
  server: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = request;
  const body = await text(request);
  const answer = await fetch(new URL(url, server), {
    method,
    headers: {
      'content-type': 'application/json',
      ...(headers.authorization !== undefined && { authorization: headers.authorization }),
    },
    ...(method !== 'GET' && { body }),
  });
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(await answer.text());
}

const DATABASE = 'twilio-chat-encryption';

function browserDevice(context: BrowserContext, url: string): Device {
  const blank = async (): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(url);
    return page;
  };
  return {
    async open(options) {
      const page = await blank();
      await page.evaluate((all) => window.openTab(all), { ...options, server: url });
      return pageTab(page);
    },
    async forget() {
      const page = await blank();
      await page.evaluate(
        (name) =>
          new Promise<void>((resolve, reject) => {
            const request = indexedDB.deleteDatabase(name);
            request.onsuccess = () => {
              resolve();
            };
            request.onblocked = () => {
              reject(new Error('An open tab keeps the database.'));
            };
          }),
        DATABASE,
      );
      await page.close();
    },
    async isThere() {
      const page = await blank();
      const names = await page.evaluate(async () =>
        (await indexedDB.databases()).map(({ name }) => name),
      );
      await page.close();
      return names.includes(DATABASE);
    },
  };
}

function pageTab(page: Page): RemoteTab {
  return {
    cardId: () => page.evaluate(() => window.tab.cardId()),
    join: (sid) => page.evaluate((one) => window.tab.join(one), sid),
    send: (sid, bodies) =>
      page.evaluate(([one, all]) => window.tab.send(one, all), [sid, bodies] as const),
    edit: (sid, change) =>
      page.evaluate(([one, parts]) => window.tab.edit(one, parts), [sid, change] as const),
    told: (sid) => page.evaluate((one) => window.tab.told(one), sid),
    history: (sid) => page.evaluate((one) => window.tab.history(one), sid),
    async kill() {
      const crashed = page.waitForEvent('crash');
      const session = await page.context().newCDPSession(page);
      // Never answered: there is nobody left.
      session.send('Page.crash').catch(() => undefined);
      await crashed;
    },
  };
}

/** Processes of Node; each device is a folder of its own. */
export async function processHost(server: string): Promise<Host> {
  const root = await mkdtemp(join(tmpdir(), 'processes-'));
  const children: ChildProcess[] = [];
  let folders = 0;
  return {
    device() {
      const folder = join(root, String((folders += 1)), 'store');
      return Promise.resolve({
        open: (options) => startProcess({ folder, options: { ...options, server } }, children),
        // Somebody may write to it meanwhile.
        forget: () => rm(folder, { recursive: true, maxRetries: 10 }),
        isThere: () => Promise.resolve(existsSync(folder)),
      });
    },
    async close() {
      for (const child of children) await killed(child);
      await rm(root, { recursive: true });
    },
  };
}

async function startProcess(start: Start, children: ChildProcess[]): Promise<RemoteTab> {
  const child = fork(join(import.meta.dirname, 'process-worker.ts'), {
    execArgv: ['--conditions=twilio-chat-encryption-source'],
  });
  children.push(child);
  const waiting = new Map<number, (answer: Answer) => void>();
  child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer));
  child.on('exit', () => {
    for (const [id, answered] of waiting) answered({ id, error: 'The process ended.' });
  });
  let calls = 0;

  async function ask(id: number, message: Start | Call): Promise<Answer> {
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    child.send(message);
    const answer = await answered;
    waiting.delete(id);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  function call(
    method: keyof Tab,
    channelSid = '',
    bodies: readonly string[] = [],
    change: Call['change'] = ['body', ''],
  ): Promise<Answer> {
    const id = (calls += 1);
    return ask(id, { id, method, channelSid, bodies, change });
  }

  await ask(0, start);
  return {
    cardId: async () => (await call('cardId')).texts?.[0] ?? '',
    async join(sid) {
      await call('join', sid);
    },
    send: async (sid, bodies) => (await call('send', sid, bodies)).texts ?? [],
    async edit(sid, change) {
      await call('edit', sid, [], change);
    },
    told: async (sid) => (await call('told', sid)).shown ?? [],
    history: async (sid) => (await call('history', sid)).shown ?? [],
    kill: () => killed(child),
  };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
