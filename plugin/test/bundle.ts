/** What an application's bundle has of the package: Vite builds it, as a page would have it. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { ROOT } from './examples.ts';

/** A part of a bundle. */
export interface Part {
  /** Bytes, each of its files compressed with gzip -9. */
  readonly size: number;
  readonly code: string;
  /** The paths of the modules in it, from the repository's root. */
  readonly modules: readonly string[];
}

/** A bundle. */
export interface Bundle {
  /** What the page loads at first. */
  readonly start: Part;
  /** What it loads when it is needed, if ever; by the names of the files without their hashes. */
  readonly later: ReadonlyMap<string, Part>;
}

interface Chunk {
  readonly fileName: string;
  readonly name: string;
  readonly isEntry: boolean;
  readonly imports: readonly string[];
  readonly moduleIds: readonly string[];
  readonly code: string;
}

/** Bundles an application's only script, with the package from source. */
export async function bundle(script: string): Promise<Bundle> {
  const entry = join(ROOT, 'plugin/application.js');
  const result = await build({
    root: join(ROOT, 'plugin'),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['twilio-chat-encryption-source', 'module', 'browser', 'production'] },
    plugins: [
      {
        name: 'application',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? script : null),
      },
    ],
    build: {
      write: false,
      reportCompressedSize: false,
      modulePreload: false,
      rolldownOptions: { input: entry },
    },
  });
  const outputs = 'output' in result ? result.output : [];
  const chunks = outputs.flatMap((one): readonly Chunk[] => (one.type === 'chunk' ? [one] : []));
  const first = chunks.filter(({ isEntry }) => isEntry);
  // A set grows while it is gone through.
  const names = new Set(first.map(({ fileName }) => fileName));
  for (const name of names) {
    for (const imported of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) {
      names.add(imported);
    }
  }
  const isStart = ({ fileName }: Chunk): boolean => names.has(fileName);
  return {
    start: partOf(chunks.filter(isStart)),
    later: new Map(chunks.filter((one) => !isStart(one)).map((one) => [one.name, partOf([one])])),
  };
}

function partOf(chunks: readonly Chunk[]): Part {
  return {
    size: chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0),
    code: chunks.map(({ code }) => code).join('\n'),
    modules: chunks.flatMap(({ moduleIds }) => moduleIds.map((id) => id.replace(ROOT, ''))),
  };
}
