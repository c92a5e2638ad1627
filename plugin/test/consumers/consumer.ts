/** A folder of an application that has installed the package, without the network. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { inject } from 'vitest';
import { ROOT } from '../examples.ts';

/** An application's folder. */
export interface Consumer {
  readonly folder: string;
  /** Writes a file; TypeScript becomes JavaScript, so that every bundler gets the same. */
  write(path: string, content: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Makes the folder. The package in it is the packed one; what it depends on, and what the application
 * asks for, are links to the repository's packages, whose versions the lock file has.
 */
export async function install(packages: readonly string[]): Promise<Consumer> {
  const consumer = await emptyConsumer();
  const own = join(consumer.folder, 'node_modules/twilio-chat-encryption');
  await cp(inject('packed').folder, own, { recursive: true });
  // A set grows while it is gone through: npm puts what they depend on beside them.
  const needed = new Set(await dependenciesOf(own));
  for (const name of needed) {
    for (const other of await dependenciesOf(join(ROOT, 'node_modules', name))) needed.add(other);
  }
  for (const name of [...needed, ...packages]) {
    const link = join(consumer.folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), link);
  }
  await consumer.write('package.json', '{ "private": true, "type": "module" }');
  return consumer;
}

/** A folder with nothing in it. */
export async function emptyConsumer(): Promise<Consumer> {
  const folder = await mkdtemp(join(tmpdir(), 'consumer-'));
  return {
    folder,
    async write(path, content) {
      const isTypeScript = /\.tsx?$/.test(path);
      const target = join(folder, path.replace(/\.tsx?$/, '.js'));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, isTypeScript ? scriptOf(content) : content);
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

function scriptOf(source: string): string {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    jsx: ts.JsxEmit.ReactJSX,
  };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  // The sources name each other as Node runs them.
  return outputText.replace(/from '(\..+)\.ts'/g, "from '$1.js'");
}

async function dependenciesOf(folder: string): Promise<readonly string[]> {
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('dependencies' in manifest)) return [];
  return Object.keys(manifest.dependencies ?? {});
}
