import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FileKeyStore } from 'twilio-chat-encryption/node';
import { codeOf } from '../outcomes.ts';
import { countTo, describeKeyStore } from './key-store-suite.ts';

const root = await mkdtemp(join(tmpdir(), 'key-store-'));
let folders = 0;

/** The path of a folder that is not there yet. */
function newFolder(): string {
  folders += 1;
  return join(root, String(folders), 'store');
}

afterAll(() => rm(root, { recursive: true }));

const one = (): Uint8Array<ArrayBuffer> => Uint8Array.of(1);
const permissions = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describeKeyStore('FileKeyStore', () => Promise.resolve(new FileKeyStore(newFolder())));

test('records are for their owner only', async () => {
  const folder = newFolder();
  await new FileKeyStore(folder).update('key/alice', one);
  const [file = ''] = await readdir(folder);
  expect(await permissions(folder)).toBe(0o700);
  expect(await permissions(join(folder, file))).toBe(0o600);
});

test('file names tell nothing', async () => {
  const folder = newFolder();
  await new FileKeyStore(folder).update('key/alice', one);
  expect(await readdir(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

test('nothing but the record is left in the folder, also after a deletion', async () => {
  const folder = newFolder();
  const store = new FileKeyStore(folder);
  await store.update('a', one);
  await store.update('a', () => Uint8Array.of(2));
  expect(await readdir(folder)).toHaveLength(1);
  await store.update('a', () => null);
  expect(await readdir(folder)).toHaveLength(0);
});

test('what a crash left beside a record does not matter', async () => {
  const folder = newFolder();
  await new FileKeyStore(folder).update('a', one);
  const [file = ''] = await readdir(folder);
  await writeFile(join(folder, `${file}.8d4c2d5c-half`), 'half');
  const store = new FileKeyStore(folder);
  expect(await store.get('a')).toEqual(one());
  await store.update('a', () => Uint8Array.of(2));
  expect(await store.get('a')).toEqual(Uint8Array.of(2));
});

test('records are there for the next process', async () => {
  const folder = newFolder();
  await new FileKeyStore(folder).update('a', one);
  expect(await new FileKeyStore(folder).get('a')).toEqual(one());
});

test('two stores of one process on one folder count exactly', async () => {
  const folder = newFolder();
  await countTo(40, [new FileKeyStore(folder), new FileKeyStore(join(folder, '..', 'store'))]);
});

test('a folder that cannot be used is KEY_STORE_UNAVAILABLE, and may be mended', async () => {
  const folder = newFolder();
  await mkdir(join(folder, '..'), { recursive: true });
  await writeFile(folder, 'a file is in its place');
  const store = new FileKeyStore(folder);
  expect(await codeOf(store.get('a'))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await codeOf(store.update('a', one))).toBe('KEY_STORE_UNAVAILABLE');
  await rm(folder);
  await store.update('a', one);
  expect(await store.get('a')).toEqual(one());
});

test('a folder that cannot be made is KEY_STORE_UNAVAILABLE', async () => {
  // A link that leads nowhere stops everybody, even those whom no permission stops.
  const folder = newFolder();
  await mkdir(join(folder, '..'), { recursive: true });
  await symlink(join(root, 'nowhere', 'at', 'all'), folder);
  expect(await codeOf(new FileKeyStore(join(folder, 'x')).update('a', one))).toBe(
    'KEY_STORE_UNAVAILABLE',
  );
});

test.skipIf(process.getuid?.() === 0)('a folder without write permission', async () => {
  const folder = newFolder();
  await mkdir(folder, { recursive: true, mode: 0o500 });
  expect(await codeOf(new FileKeyStore(folder).update('a', one))).toBe('KEY_STORE_UNAVAILABLE');
});

test('a record that cannot be replaced is KEY_STORE_UNAVAILABLE and leaves nothing behind', async () => {
  const folder = newFolder();
  const store = new FileKeyStore(folder);
  await store.update('a', one);
  const [file = ''] = await readdir(folder);
  await rm(join(folder, file));
  await mkdir(join(folder, file, 'in the way'), { recursive: true });
  expect(await codeOf(store.get('a'))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await codeOf(store.update('a', one))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await readdir(folder)).toEqual([file]);
});
