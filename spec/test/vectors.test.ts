/** The vectors are frozen, and they cover what they must. */
import { access, readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { vectorFiles } from '../generate/files.ts';
import type { EnvelopeFile, MessageCase, VectorCase, VectorFile } from '../vector-files.ts';

const FOLDER = new URL('../vectors/', import.meta.url);
const PAGES = new URL('../', import.meta.url);

async function read<Case extends VectorCase>(name: string): Promise<VectorFile<Case>> {
  return JSON.parse(await readFile(new URL(name, FOLDER), 'utf8')) as VectorFile<Case>;
}

describe('the vectors', async () => {
  const made = await vectorFiles();
  const names = await readdir(FOLDER);

  test('are what the generator makes, byte for byte', async () => {
    expect(names.sort()).toEqual([...made.keys()].sort());
    for (const [name, text] of made) {
      // No diff of megabytes when they are not equal.
      expect((await readFile(new URL(name, FOLDER), 'utf8')) === text, name).toBe(true);
    }
  });

  test.each(names)('%s has cases of both kinds', async (name) => {
    const results = (await read(name)).cases.map(({ result }) => result);
    expect(results).toContain('ok');
    expect(results.some((result) => result !== 'ok')).toBe(true);
  });

  test('refuse with every code that bytes can be refused with', async () => {
    const all = await Promise.all(names.map((name) => read(name)));
    const codes = new Set(all.flatMap(({ cases }) => cases.map(({ result }) => result)));
    expect([...codes].sort()).toEqual([
      'BAD_SIGNATURE',
      'CARD_INVALID',
      'COMMITMENT_MISMATCH',
      'DECRYPTION_FAILED',
      'INVALID_ARGUMENT',
      'INVALID_IDENTITY',
      'KEY_MISSING',
      'KEY_RECORD_DAMAGED',
      'LOG_INVALID',
      'MALFORMED',
      'NOT_ADDRESSED',
      'PLAINTEXT',
      'UNSUPPORTED_VERSION',
      'WRONG_AUTHOR',
      'WRONG_CHANNEL',
      'WRONG_PASSWORD',
      'ok',
    ]);
  });

  test('of followers are in the session of the key message', async () => {
    const [keyMessage] = (await read<MessageCase>('key-message.json')).cases;
    const followers = (await read<MessageCase>('follower.json')) as EnvelopeFile<MessageCase>;
    expect(keyMessage?.message?.session).toBeDefined();
    expect(followers.cases[0]?.session).toEqual(keyMessage?.message?.session);
  });
});

/** All strings in a value; of base64url also what it encodes, as hexadecimal and as text. */
function* strings(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    yield value;
    const bytes = Buffer.from(value.replace(/^e2e1\./, ''), 'base64url');
    if (value.length > 100) yield `${bytes.toString('hex')}\n${bytes.toString('utf8')}`;
  } else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) yield* strings(member);
  }
}

describe('the pages', async () => {
  const pages = (await readdir(PAGES)).filter((name) => name.endsWith('.md'));
  const files = await Promise.all((await readdir(FOLDER)).map((name) => read(name)));
  const all = [...strings(files)].join('\n');

  test.each(pages)('%s shows bytes of the vectors, and nothing else', async (name) => {
    const page = await readFile(new URL(name, PAGES), 'utf8');
    for (const [, block = ''] of page.matchAll(/```vector\n(.*?)```/gs)) {
      const lines = block.split('\n').map((line) => line.replace(/^[^│]*│/, '').trim());
      for (const part of lines.flatMap((line) => line.split('…'))) {
        expect(all.includes(part.trim()), `${part} in ${name}`).toBe(true);
      }
    }
  });

  test.each(pages)('%s leads to files that there are', async (name) => {
    const page = await readFile(new URL(name, PAGES), 'utf8');
    const paths = [...page.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)];
    for (const [, path = ''] of paths) await access(new URL(path, PAGES));
  });

  test.each(pages)('%s leads to headings that there are', async (name) => {
    const page = await readFile(new URL(name, PAGES), 'utf8');
    for (const [, path = '', heading = ''] of page.matchAll(/\]\(([^)#:]*\.md)#([^)]+)\)/g)) {
      const other = await readFile(new URL(path, PAGES), 'utf8');
      const headings = [...other.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => slug(text));
      expect(headings, `${path} from ${name}`).toContain(heading);
    }
  });

  test('README.md lists the labels that the library has', async () => {
    const primitives = new URL('../plugin/src/protocol/primitives.ts', PAGES);
    const [, union = ''] =
      /export type Label =([^;]*);/.exec(await readFile(primitives, 'utf8')) ?? [];
    const labels = [...union.matchAll(/'([^']+)'/g)].map(([, label]) => label);
    const page = await readFile(new URL('README.md', PAGES), 'utf8');
    const [, section = ''] = /### Labels\n(.*?)\n### /s.exec(page) ?? [];
    const listed = [...section.matchAll(/`([a-z-]+)`/g)].map(([, label]) => label);
    expect(listed.sort()).toEqual(labels.sort());
  });
});

/** The anchor of a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
