/** An application that installs the package is built by every bundler, and then works. */
import { readdir, readFile } from 'node:fs/promises';
import { afterAll } from 'vitest';
import { withEsbuild, withVite, withWebpack, type Build, type Bundle } from './bundlers.ts';
import { checkBuild } from './checks.ts';
import { install, type Consumer } from './consumer.ts';

const APP = new URL('app/', import.meta.url);
const consumers: Consumer[] = [];

afterAll(async () => {
  for (const consumer of consumers) await consumer.remove();
});

/** Both SDKs are installed: which of them is in a build, is up to the application. */
async function built(bundle: Bundle): Promise<Build> {
  const consumer = await install(['twilio-chat', '@twilio/conversations']);
  consumers.push(consumer);
  for (const name of await readdir(APP)) {
    await consumer.write(name, await readFile(new URL(name, APP), 'utf8'));
  }
  return bundle(consumer.folder);
}

checkBuild('Vite', () => built(withVite));
checkBuild('webpack', () => built(withWebpack));
checkBuild('esbuild', () => built(withEsbuild));
