/** The README's examples compile against the package as they stand. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

test('the TypeScript examples of the README compile', async () => {
  const readme = await readFile(`${ROOT}README.md`, 'utf8');
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? '');
  expect(examples.length).toBeGreaterThanOrEqual(2);
  const folder = await mkdtemp(`${ROOT}plugin/test/.readme-`);
  try {
    const files = examples.map((_, index) => `${folder}/example-${index}.ts`);
    await Promise.all(examples.map((code, index) => writeFile(files[index] ?? '', code)));
    const parsed = ts.getParsedCommandLineOfConfigFile(`${ROOT}tsconfig.json`, undefined, {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
      },
    });
    const program = ts.createProgram(files, parsed?.options ?? {});
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(problems).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
