/** What is in the scripts of a build, by their source maps: all bundlers tell it in the same way there. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A script of a build. */
export interface Chunk {
  /** Its path in the folder that is served. */
  readonly path: string;
  readonly code: string;
  /** The files that it was made of. */
  readonly modules: readonly string[];
}

export async function chunksOf(folder: string): Promise<readonly Chunk[]> {
  const paths = await readdir(folder, { recursive: true });
  return Promise.all(
    paths
      .filter((path) => path.endsWith('.js'))
      .map(async (path) => {
        const code = await readFile(join(folder, path), 'utf8');
        return { path, code, modules: await modulesOf(join(folder, dirname(path)), code) };
      }),
  );
}

async function modulesOf(folder: string, code: string): Promise<readonly string[]> {
  const [, name] = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(code) ?? [];
  if (name === undefined) return [];
  const map = JSON.parse(await readFile(join(folder, name), 'utf8')) as SourceMap;
  return sourcesOf(map);
}

/** A source map, or one that consists of several. */
interface SourceMap {
  readonly sources?: readonly (string | null)[];
  readonly sections?: readonly { readonly map: SourceMap }[];
}

function sourcesOf({ sources = [], sections = [] }: SourceMap): readonly string[] {
  const own = sources.filter((source) => source !== null);
  return [...own, ...sections.flatMap(({ map }) => sourcesOf(map))];
}
