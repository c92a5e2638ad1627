/** Before the tests of this folder: builds and packs the package, and unpacks what npm would publish. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { ROOT } from '../examples.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** What npm would publish: the tarball, and the folder that is in it. */
    packed: { readonly tarball: string; readonly folder: string };
  }
}

const run = promisify(execFile);

export default async function pack({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'packed-'));
  await run('npx', ['--no-install', 'tsc', '-b', 'plugin/tsconfig.build.json'], { cwd: ROOT });
  const options = ['--ignore-scripts', '--pack-destination', folder];
  await run('npm', ['pack', ...options], { cwd: join(ROOT, 'plugin'), maxBuffer: 2 ** 26 });
  const [name = ''] = await readdir(folder);
  const tarball = join(folder, name);
  await run('tar', ['-xzf', tarball, '-C', folder]);
  provide('packed', { tarball, folder: join(folder, 'package') });
  return () => rm(folder, { recursive: true });
}
