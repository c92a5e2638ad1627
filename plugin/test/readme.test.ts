/** The README's examples compile against the package as they stand. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { examplesOf, problemsOf, ROOT } from './examples.ts';

test('the TypeScript examples of the README compile', async () => {
  const examples = examplesOf(await readFile(`${ROOT}README.md`, 'utf8'));
  expect(examples.length).toBeGreaterThanOrEqual(2);
  const folder = await mkdtemp(`${ROOT}plugin/test/.readme-`);
  try {
    const files = examples.map((_, index) => `${folder}/example-${index}.ts`);
    await Promise.all(examples.map((code, index) => writeFile(files[index] ?? '', code)));
    expect(problemsOf(files)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
