/** The independent decoder agrees with every vector, and would say so if it did not. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VectorCase, VectorFile } from '../vector-files.ts';

const DECODER = fileURLToPath(new URL('../decoder.ts', import.meta.url));
const VECTORS = fileURLToPath(new URL('../vectors', import.meta.url));

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function decode(...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [DECODER, ...args], (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test('the decoder opens and refuses every vector as it must', async () => {
  const run = await decode();
  expect(run.stderr.replace(/^\(.*\n/gm, '')).toBe('');
  expect(run.exitCode).toBe(0);
  for (const name of await readdir(VECTORS)) expect(run.stdout).toContain(`${name}: `);
});

describe('the decoder fails', () => {
  let folder = '';
  let run: Run;

  const changed = (
    { cases, ...file }: VectorFile<VectorCase>,
    which: (one: VectorCase) => boolean,
    changes: object,
  ): unknown => {
    const at = cases.findIndex(which);
    return {
      ...file,
      cases: cases.map((one, index) => (index === at ? { ...one, ...changes } : one)),
    };
  };
  const isOk = ({ result }: VectorCase): boolean => result === 'ok';

  /** What is changed in which file, each in one case. */
  const CHANGES: readonly (readonly [
    what: string,
    name: string,
    change: (file: VectorFile<VectorCase>) => unknown,
  ])[] = [
    [
      'an expected value is another',
      'login.json',
      (file) => changed(file, isOk, { authSecret: 'A' }),
    ],
    [
      'what must open does not',
      'padding.json',
      (file) => changed(file, isOk, { result: 'MALFORMED' }),
    ],
    [
      'what must be refused opens',
      'content.json',
      (file) => changed(file, (one) => !isOk(one), { text: '{}', value: {} }),
    ],
    [
      'a code is another',
      'carrier.json',
      (file) => changed(file, ({ result }) => result === 'BAD_SIGNATURE', { result: 'MALFORMED' }),
    ],
  ];

  // One run for all: it takes seconds, most of them for the passwords.
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vectors-'));
    await cp(VECTORS, folder, { recursive: true });
    for (const [, name, change] of CHANGES) {
      const path = join(folder, name);
      const file = JSON.parse(await readFile(path, 'utf8')) as VectorFile<VectorCase>;
      await writeFile(path, JSON.stringify(change(file)));
    }
    await rename(join(folder, 'edit.json'), join(folder, 'edits.json'));
    run = await decode(folder);
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test.each(CHANGES)('when %s', (_what, name) => {
    expect(run.stderr.match(new RegExp(`^${name}: `, 'gm'))).toHaveLength(1);
  });

  test('when a file is missing, or is one that it does not know', () => {
    expect(run.stderr).toContain('edit.json is not there.');
    expect(run.stderr).toContain('edits.json is not known.');
  });

  test('and says how much is wrong', () => {
    expect(run.stdout).toContain('6 not as they must be.');
    expect(run.exitCode).toBe(1);
  });
});
