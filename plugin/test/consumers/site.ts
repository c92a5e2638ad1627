/**
 * A folder as https://chat.example in a real Chromium. The token server is at the same address, and
 * Twilio's is the emulator's: what pages do needs no change to be tested.
 */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Browser, BrowserContext, Page, Route, WebSocketRoute } from 'playwright-core';
import type { World } from '../integration/world.ts';

export const ADDRESS = 'https://chat.example';

/** Somebody's browser, with a page open. */
export interface Visit {
  readonly page: Page;
  /** The paths of all that the page loaded from the folder. */
  readonly loaded: readonly string[];
  /** Errors and warnings of the page. */
  readonly complaints: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** Opens a page in a browser context of its own. */
export async function visit(
  browser: Browser,
  world: Pick<World, 'server' | 'emulator'>,
  folder: string,
): Promise<Visit> {
  const loaded: string[] = [];
  const complaints: string[] = [];
  // Twilio's files are at the emulator's own address, which a page from elsewhere may not ask just so.
  const context = await browser.newContext({ permissions: ['local-network-access'] });
  await context.route(`${ADDRESS}/**`, async (route) => {
    const url = new URL(route.request().url());
    if (url.pathname.startsWith('/v1/')) {
      await route.fulfill({
        response: await route.fetch({ url: `${world.server}${url.pathname}${url.search}` }),
      });
    } else {
      loaded.push(url.pathname.slice(1));
      await answer(route, join(folder, url.pathname === '/' ? 'index.html' : url.pathname));
    }
  });
  await connectTo(context, world.emulator.clientOptions.Twilsock.uri);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(ADDRESS);
  return { page, loaded, complaints };
}

async function answer(route: Route, file: string): Promise<void> {
  const body = await readFile(file).catch(() => null);
  const contentType = TYPES[extname(file)] ?? 'application/octet-stream';
  await route.fulfill(body === null ? { status: 404 } : { body, contentType });
}

/** Connects whoever asks for Twilio's socket to another one. */
function connectTo(context: BrowserContext, uri: string): Promise<void> {
  return context.routeWebSocket(/^wss:\/\/tsock\.us1\.twilio\.com\//, (page: WebSocketRoute) => {
    const socket = new WebSocket(uri);
    socket.binaryType = 'arraybuffer';
    const open = new Promise((resolve) => {
      socket.onopen = resolve;
    });
    page.onMessage((message) => {
      void open.then(() => {
        socket.send(typeof message === 'string' ? message : new Uint8Array(message));
      });
    });
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      page.send(typeof data === 'string' ? data : Buffer.from(data));
    };
    page.onClose(() => {
      socket.close();
    });
  });
}
