/** The README's examples compile against the package as they stand. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { examplesOf, problemsOf, ROOT } from './examples.ts';

const PAGES: Record<string, number> = { 'README.md': 4, 'plugin/README.md': 1, 'docs/keys.md': 1 };

test('the TypeScript examples compile', async () => {
  const folder = await mkdtemp(`${ROOT}plugin/test/.readme-`);
  try {
    const files: string[] = [];
    for (const [page, count] of Object.entries(PAGES)) {
      const examples = examplesOf(await readFile(ROOT + page, 'utf8'));
      expect(examples.length, page).toBeGreaterThanOrEqual(count);
      for (const code of examples) {
        const file = `${folder}/example-${files.length}.ts`;
        await writeFile(file, code);
        files.push(file);
      }
    }
    // One program for all: most of the time goes into the packages that they import.
    expect(problemsOf(files)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
