/** Runs the scenarios in a Chromium. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { launchOptions } from '../chromium.ts';
import type { Result } from './scenarios.ts';

/** What was measured, and where. */
export interface Run {
  readonly environment: string;
  readonly results: readonly Result[];
}

/**
 * Opens a page that runs everything.
 * @param tell is told of results as they come
 */
export async function inChromium(tell: (results: readonly Result[]) => void): Promise<Run> {
  const script = await bundle();
  const server = createServer((request, response) => {
    // Only an isolated page has a clock of 5 µs.
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    if (request.url === '/page.js') {
      response.setHeader('content-type', 'text/javascript; charset=utf-8').end(script);
    } else {
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end('<script type="module" src="/page.js"></script>');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const browser = await chromium.launch({ ...(await launchOptions()), headless: true });
  try {
    const page = await browser.newPage();
    const results: Result[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      page.on('pageerror', reject);
      const report = (more: readonly Result[] | null): void => {
        if (more === null) {
          resolve();
          return;
        }
        results.push(...more);
        tell(more);
      };
      page.exposeFunction('report', report).catch(reject);
    });
    await page.goto(`http://127.0.0.1:${address.port}`);
    await ended;
    return { environment: `Chromium ${browser.version()}`, results };
  } finally {
    await browser.close();
    server.close();
  }
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    conditions: ['twilio-chat-encryption-source', 'module', 'browser'],
    loader: { '.wasm': 'dataurl' },
    // What olm.js asks for in Node only, and what libraries of Node's time look for.
    external: ['fs', 'path', 'crypto', 'node:crypto'],
    define: { global: 'globalThis', 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  const [file] = outputFiles;
  if (!file) throw new Error('esbuild made nothing.');
  return file.text;
}
