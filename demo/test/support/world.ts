import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { chromium, type Browser, type BrowserContextOptions } from 'playwright-core';
import type { Emulator } from 'twilio-chat-emulator';
import { launchOptions } from '../../../chromium.ts';
import { startDemo, type Demo } from '../../src/server/demo.ts';
import { openPerson, type Person } from './person.ts';

/** A running demo and a browser to look at it with. */
export interface World {
  readonly url: string;
  readonly emulator: Emulator;
  /** The private key of the token server's log: its seed in base64url. */
  readonly logKey: string;
  /** Somebody in a browser of their own. */
  person(name: string, options?: BrowserContextOptions): Promise<Person>;
  /** Everything that no page should have reported: errors, violated policies. */
  complaints(): readonly string[];
  close(): Promise<void>;
}

/** Starts a demo with fresh keys, and a Chromium. */
export async function startWorld(): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'demo-test-'));
  const [demo, browser] = await Promise.all([
    startDemo({ port: 0, dataDir }),
    launchOptions().then((options) => chromium.launch(options)),
  ]);
  const complaints: string[] = [];
  return {
    url: demo.url,
    emulator: emulatorOf(demo),
    logKey: logKeyIn(dataDir),
    complaints: () => complaints,
    person: (name, options) => openPerson(browser, { name, url: demo.url, complaints }, options),
    close: () => close(demo, browser, dataDir),
  };
}

function emulatorOf({ emulator }: Demo): Emulator {
  if (!emulator) throw new Error('the demo should be emulated');
  return emulator;
}

function logKeyIn(dataDir: string): string {
  const { LOG_PRIVATE_KEY } = parseEnv(readFileSync(join(dataDir, 'server.env'), 'utf8'));
  if (LOG_PRIVATE_KEY === undefined) throw new Error('the demo should have a key for its log');
  return LOG_PRIVATE_KEY;
}

async function close(demo: Demo, browser: Browser, dataDir: string): Promise<void> {
  await browser.close();
  await demo.close();
  rmSync(dataDir, { recursive: true, force: true });
}
