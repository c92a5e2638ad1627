/** The application as a page of Next.js, with the package installed by npm itself. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, inject } from 'vitest';
import type { Build } from './bundlers.ts';
import { checkBuild } from './checks.ts';
import { emptyConsumer, type Consumer } from './consumer.ts';

const HERE = import.meta.dirname;
// Source maps tell what is in the chunks; exported, a page needs no server of Next.js.
const CONFIG = `export default { output: 'export', productionBrowserSourceMaps: true };`;

const run = promisify(execFile);
const consumers: Consumer[] = [];

afterAll(async () => {
  for (const consumer of consumers) await consumer.remove();
});

async function built(): Promise<Build> {
  const consumer = await emptyConsumer();
  consumers.push(consumer);
  const cwd = consumer.folder;
  for (const name of ['package.json', 'package-lock.json']) {
    await cp(join(HERE, 'next', name), join(cwd, name));
  }
  // What the lock file has stays at its version; the package brings what it depends on.
  await run('npm', ['install', '--no-audit', '--no-fund', inject('packed').tarball], { cwd });

  await consumer.write('next.config.ts', CONFIG);
  for (const name of ['chat.ts', 'controls.ts']) {
    await consumer.write(name, await readFile(join(HERE, 'app', name), 'utf8'));
  }
  for (const name of ['app/layout.tsx', 'app/page.tsx']) {
    const source = await readFile(join(HERE, 'next', name), 'utf8');
    await consumer.write(name, source.replace("'../../app/", "'../"));
  }

  // On CI machines Next.js warns when it finds no cache of an earlier build.
  await mkdir(join(cwd, '.next/cache'), { recursive: true });

  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' };
  const next = join(cwd, 'node_modules/next/dist/bin/next');
  const { stdout, stderr } = await run(process.execPath, [next, 'build'], { cwd, env });
  const complaints = `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => /[⚠⨯]|warn|error|can't resolve/i.test(line));
  return { folder: join(cwd, 'out'), complaints };
}

checkBuild('Next.js', built);
