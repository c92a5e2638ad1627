import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type TwilioConversations from '@twilio/conversations';
import { chromium, type Page } from 'playwright-core';
import type TwilioChat from 'twilio-chat';
import { onTestFinished } from 'vitest';
import { launchOptions } from '../../../chromium.ts';

declare global {
  /** What the bundles define in a page. */
  var Twilio: { Chat: typeof TwilioChat; Conversations: typeof TwilioConversations };
}

/** A page of a real Chromium with one of Twilio's own bundles for browsers, such as npm has them. */
export async function openPage(bundle: string): Promise<Page> {
  const script = readFileSync(createRequire(import.meta.url).resolve(bundle));
  const server = createServer((request, response) => {
    const isScript = request.url === '/sdk.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    const html = '<!doctype html><title>test</title><script src="/sdk.js"></script>';
    response.end(isScript ? script : html);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not on a port');
  const browser = await chromium.launch({ ...(await launchOptions()), headless: true });
  onTestFinished(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${address.port}/`);
  return page;
}
