/** What `npm publish` would publish: whole, and nothing beside it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, posix } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from './examples.ts';

const run = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const PACKAGES = ['plugin', 'token-server', 'twilio-emulator'];

beforeAll(async () => {
  const projects = PACKAGES.map((name) => `${name}/tsconfig.build.json`);
  await run('npx', ['--no-install', 'tsc', '-b', ...projects], { cwd: ROOT });
}, 300_000);

describe.each(PACKAGES)('the package in %s', (name) => {
  const folder = `${ROOT}${name}/`;
  const read = (path: string): Promise<string> => readFile(folder + path, 'utf8');
  let manifest: Manifest;
  let files: readonly string[];

  beforeAll(async () => {
    manifest = JSON.parse(await read('package.json')) as Manifest;
    const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const { stdout } = await run('npm', pack, { cwd: folder, maxBuffer: 2 ** 26 });
    // An array in one version of npm, an object by name in another.
    const answer = JSON.parse(stdout) as Record<string, { files: { path: string }[] }>;
    files = Object.values(answer).flatMap((packed) => packed.files.map(({ path }) => path));
  }, 60_000);

  test('has a page that introduces it, and the license of the whole', async () => {
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']));
    expect(await read('LICENSE')).toBe(await readFile(`${ROOT}LICENSE`, 'utf8'));
  });

  test('has code, sources, and nothing of the build or the tests', () => {
    const others = files.filter((path) => !/^(dist|src)\/.+\.(js|ts|map)$/.test(path));
    const described = name === 'token-server' ? ['openapi.json'] : [];
    expect([...others].sort()).toEqual(['LICENSE', 'README.md', ...described, 'package.json']);
  });

  test('has everything that it exports and runs', () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    );
    const all = [...targets, ...Object.values(manifest.bin ?? {})];
    for (const path of all) expect(files).toContain(posix.normalize(path));
    expect(Object.keys(manifest.exports)).toContain('./package.json');
  });

  test('has what its maps map to', async () => {
    for (const path of files.filter((one) => one.endsWith('.map'))) {
      const { sources } = JSON.parse(await read(path)) as { readonly sources: readonly string[] };
      // What is missing is the output of a source that is gone: `npm run build` begins anew.
      for (const source of sources) {
        expect(files, path).toContain(posix.join(dirname(path), source));
      }
    }
  });

  test('brings the types that its declarations import', async () => {
    const { dependencies, peerDependencies = {} } = manifest;
    for (const path of files.filter((one) => /^dist\/.*\.d\.ts$/.test(one))) {
      const imports = (await read(path)).matchAll(/(?:from|import) ?\(?'([^.'][^']*)'/g);
      for (const [, specifier = ''] of imports) {
        if (specifier.startsWith('node:')) continue;
        const [first = '', second = ''] = specifier.split('/');
        const needed = first.startsWith('@') ? `${first}/${second}` : first;
        const types = `@types/${needed}`;
        const own = existsSync(`${ROOT}node_modules/${types}`) ? types : needed;
        expect({ ...dependencies, ...peerDependencies }, `${path}: ${specifier}`).toHaveProperty([
          own,
        ]);
      }
    }
  });
});
