import { existsSync } from 'node:fs';
import sparticuz from '@sparticuz/chromium';

const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * How Playwright starts a Chromium: the one at `CHROMIUM_PATH`, else an installed one, else the
 * one that `@sparticuz/chromium` carries inside its npm package, so that tests need no download.
 */
export async function launchOptions(): Promise<{ executablePath: string; args: string[] }> {
  const installed = [process.env['CHROMIUM_PATH'], ...INSTALLED].find(
    (path) => path !== undefined && existsSync(path),
  );
  return {
    executablePath: installed ?? (await sparticuz.executablePath()),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  };
}
