/** The README's examples compile against the package as they stand. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { examplesOf, problemsOf, ROOT } from './examples.ts';

test.each([
  ['README.md', 4],
  ['plugin/README.md', 1],
  ['docs/keys.md', 1],
])('the TypeScript examples of %s compile', async (page, count) => {
  const examples = examplesOf(await readFile(ROOT + page, 'utf8'));
  expect(examples.length).toBeGreaterThanOrEqual(count);
  const folder = await mkdtemp(`${ROOT}plugin/test/.readme-`);
  try {
    const files = examples.map((_, index) => `${folder}/example-${index}.ts`);
    await Promise.all(examples.map((code, index) => writeFile(files[index] ?? '', code)));
    expect(problemsOf(files)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
