/** docs/low-level.md is true: its examples compile, run in order, and do what they say. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Encryption, MemoryKeyStore } from 'twilio-chat-encryption';
import { examplesOf, problemsOf, ROOT } from '../examples.ts';
import { codeOf } from '../outcomes.ts';
import { startWorld, type World } from './world.ts';

const PAGE = await readFile(`${ROOT}docs/low-level.md`, 'utf8');

/** What an example's lines say about themselves is checked with these. */
interface Checks {
  equal(actual: unknown, expected: unknown): void;
  rejects(promise: Promise<unknown>, code: string): Promise<void>;
}

type Run = (alice: Encryption, bob: Encryption, checks: Checks) => Promise<void>;

const checked = { equal: 0, rejects: 0 };
const checks: Checks = {
  equal(actual, expected) {
    checked.equal += 1;
    expect(actual).toEqual(expected);
  },
  async rejects(promise, code) {
    checked.rejects += 1;
    expect(await codeOf(promise)).toBe(code);
  },
};

/** The examples as one function; `// =>` and `// rejects:` become checks, nothing else changes. */
function program(page: string): string {
  const body = examplesOf(page)
    .join('\n')
    .replace(/^(.+); \/\/ => (.+)$/gm, 'checks.equal($1, $2);')
    .replace(/^await (.+); \/\/ rejects: (\w+)$/gm, "await checks.rejects($1, '$2');");
  return `import type { Encryption } from 'twilio-chat-encryption';
interface Checks {
  equal(actual: unknown, expected: unknown): void;
  rejects(promise: Promise<unknown>, code: string): Promise<void>;
}
export async function run(alice: Encryption, bob: Encryption, checks: Checks): Promise<void> {
${body}}
`;
}

describe('docs/low-level.md', () => {
  let world: World;
  let folder = '';
  let file = '';

  beforeAll(async () => {
    world = await startWorld();
    folder = await mkdtemp(`${ROOT}plugin/test/.low-level-`);
    file = `${folder}/example.ts`;
    await writeFile(file, program(PAGE));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
    await world.close();
  });

  async function open(identity: string): Promise<Encryption> {
    const session = await world.signUp(identity);
    return Encryption.open({
      identity,
      server: world.server,
      authorize: () => Promise.resolve(session),
      appKey: world.appKey,
      logKey: world.logKey,
      keyStore: new MemoryKeyStore(),
      password: 'password of the device',
    });
  }

  test('compiles', () => {
    // The examples show constants that nothing uses again.
    expect(problemsOf([file], { noUnusedLocals: false })).toEqual([]);
  });

  test('runs, and every line does what it says', async () => {
    const example = (await import(/* @vite-ignore */ file)) as { readonly run: Run };
    const [alice, bob] = [await open('alice'), await open('bob')];
    await example.run(alice, bob, checks);
    const count = (mark: string): number => PAGE.split(mark).length - 1;
    expect(checked).toEqual({ equal: count('// => '), rejects: count('// rejects: ') });
    alice.close();
    bob.close();
  });
});
