import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { FileKeyStore } from 'twilio-chat-encryption/node';
import { codeOf } from '../outcomes.ts';
import { clearBesideUpdates, countTo, describeKeyStore, lockInTurn } from './key-store-suite.ts';

const root = await mkdtemp(join(tmpdir(), 'key-store-'));
let folders = 0;

/** The path of a folder that is not there yet. */
function newFolder(): string {
  folders += 1;
  return join(root, String(folders), 'store');
}

afterAll(() => rm(root, { recursive: true }));

/** The files in a folder, without those that only carry locks. */
async function records(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.endsWith('.lock'));
}

const one = (): Uint8Array<ArrayBuffer> => Uint8Array.of(1);
const permissions = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

/** Folders are their owner's, and so is every file in them. */
async function expectOwnersOnly(folder: string): Promise<void> {
  expect(await permissions(folder)).toBe(0o700);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const mode = entry.isDirectory() ? 0o700 : 0o600;
    expect(await permissions(join(entry.parentPath, entry.name)), entry.name).toBe(mode);
  }
}

describeKeyStore('FileKeyStore', () => Promise.resolve(new FileKeyStore(newFolder())));

test('records are for their owner only', async () => {
  const folder = newFolder();
  await new FileKeyStore(folder).update('key/alice', one);
  expect(await readdir(folder, { recursive: true })).toHaveLength(3);
  await expectOwnersOnly(folder);
});

test('file names tell nothing', async () => {
  const folder = newFolder();
  const store = new FileKeyStore(folder);
  await store.update('key/alice', one);
  await store.lock('key/alice', () => Promise.resolve());
  const hashed = /^[0-9a-f]{64}(\.record|\.lock(\.next)?)?$/;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const named = entries.map(({ name }) => name).filter((name) => !hashed.test(name));
  expect(named).toEqual(['update.lock']);
});

test('nothing but the record is left in the folder, also after a deletion', async () => {
  const folder = newFolder();
  const store = new FileKeyStore(folder);
  await store.update('a', one);
  await store.update('a', () => Uint8Array.of(2));
  expect(await records(folder)).toHaveLength(1);
  await store.update('a', () => null);
  expect(await records(folder)).toHaveLength(0);
});

test('what a crash left beside a record does not matter', async () => {
  const folder = newFolder();
  await new FileKeyStore(folder).update('a', one);
  const [file = ''] = await records(folder);
  await writeFile(join(folder, `${file}.8d4c2d5c-half`), 'half');
  const store = new FileKeyStore(folder);
  expect(await store.get('a')).toEqual(one());
  await store.update('a', () => Uint8Array.of(2));
  expect(await store.get('a')).toEqual(Uint8Array.of(2));
});

test('what a crash left of a scope that was cleared is deleted when it is cleared again', async () => {
  const folder = newFolder();
  const store = new FileKeyStore(folder);
  await store.update('a/b', one);
  const [scope = ''] = (await records(folder)).filter((name) => !name.endsWith('.record'));
  await mkdir(join(folder, `${scope}.cleared`, 'left'), { recursive: true });
  await store.clear('a');
  expect(await store.get('a/b')).toBeNull();
  expect(await records(folder)).toEqual([]);
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

test('two stores of one process on one folder clear a scope between two updates', async () => {
  const folder = newFolder();
  await clearBesideUpdates([new FileKeyStore(folder), new FileKeyStore(folder)]);
});

test('two stores of one process on one folder take turns with a lock', async () => {
  const folder = newFolder();
  await lockInTurn(20, [new FileKeyStore(folder), new FileKeyStore(folder)]);
});

test('an update that changes nothing writes nothing', async () => {
  const folder = newFolder();
  const store = new FileKeyStore(folder);
  await store.update('a', one);
  const [file = ''] = await records(folder);
  const before = await stat(join(folder, file));
  await store.update('a', (current) => current);
  expect((await stat(join(folder, file))).ino).toBe(before.ino);
});

test('a folder that was deleted is not made anew by a store that used it, but by the next', async () => {
  const folder = newFolder();
  const store = new FileKeyStore(folder);
  await store.update('a', one);
  await rm(folder, { recursive: true });
  expect(await store.get('a')).toBeNull();
  expect(await codeOf(store.update('a', one))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await codeOf(store.update('a/b', one))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await codeOf(store.clear('a'))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await codeOf(store.lock('a', () => Promise.resolve()))).toBe('KEY_STORE_UNAVAILABLE');
  await expect(stat(folder)).rejects.toThrow('ENOENT');
  await new FileKeyStore(folder).update('a', one);
  expect(await store.get('a')).toEqual(one());
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
  const [file = ''] = await records(folder);
  await rm(join(folder, file));
  await mkdir(join(folder, file, 'in the way'), { recursive: true });
  expect(await codeOf(store.get('a'))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await codeOf(store.update('a', one))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await records(folder)).toEqual([file]);
});

describe('several processes on one folder', () => {
  const processes: ChildProcess[] = [];
  const worker = join(import.meta.dirname, 'file-key-store-worker.ts');
  const execArgv = ['--conditions=twilio-chat-encryption-source'];

  type Task = 'count' | 'turns' | 'hold' | 'replace' | 'clear' | 'fill';
  function start(folder: string, task: Task, times = 1): ChildProcess {
    const started = fork(worker, [folder, task, String(times)], { execArgv });
    processes.push(started);
    return started;
  }

  /** What a process says that may write files of so many blocks of 512 bytes only. */
  function writeLimited(folder: string, blocks: number, size: number): Promise<unknown> {
    const node = [process.execPath, ...execArgv, worker, folder, 'large', String(size)];
    const limited = `ulimit -f ${blocks} && exec "$@"`;
    const started = spawn('sh', ['-c', limited, 'sh', ...node], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
    });
    processes.push(started);
    return new Promise((resolve) => {
      started.on('message', (message: unknown) => {
        if (message !== 'ready') resolve(message);
      });
    });
  }

  /** Kills a process so many milliseconds after it said something of this kind. */
  async function killAfter(started: ChildProcess, kind: string, delay: number): Promise<void> {
    await new Promise((resolve) => {
      started.on('message', (message: unknown) => {
        if (typeof message === kind && message !== 'ready') resolve(null);
      });
    });
    await new Promise((resolve) => setTimeout(resolve, delay));
    const exit = once(started, 'exit');
    started.kill('SIGKILL');
    await exit;
  }

  /** A process that has the lock. */
  function startHolder(folder: string): Promise<ChildProcess> {
    const holder = start(folder, 'hold');
    return new Promise((resolve) => {
      holder.on('message', (message: unknown) => {
        if (typeof message === 'number') resolve(holder);
      });
    });
  }

  afterEach(() => {
    for (const one of processes.splice(0)) one.kill('SIGKILL');
  });

  test('count exactly', async () => {
    const folder = newFolder();
    const all = [1, 2, 3].map(() => start(folder, 'count', 100));
    const ended = await Promise.all(all.map((one) => once(one, 'exit')));
    expect(ended).toEqual(all.map(() => [0, null]));
    const counter = (await new FileKeyStore(folder).get('a/counter')) ?? new Uint8Array(4);
    expect(new DataView(counter.buffer).getUint32(0)).toBe(300);
  });

  test('count exactly while another one clears another scope', async () => {
    const folder = newFolder();
    const all = [
      start(folder, 'count', 100),
      start(folder, 'clear', 50),
      start(folder, 'clear', 50),
    ];
    const ended = await Promise.all(all.map((one) => once(one, 'exit')));
    expect(ended).toEqual(all.map(() => [0, null]));
    const store = new FileKeyStore(folder);
    const counter = (await store.get('a/counter')) ?? new Uint8Array(4);
    expect(new DataView(counter.buffer).getUint32(0)).toBe(100);
    expect(await store.get('ab/record')).toBeNull();
  });

  test('make files for their owner only, whatever the umask', async () => {
    const folder = newFolder();
    await once(start(folder, 'turns'), 'exit');
    await once(start(folder, 'count'), 'exit');
    await expectOwnersOnly(folder);
  });

  test('leave the old record or the new one when they are killed while they write', async () => {
    const folder = newFolder();
    const store = new FileKeyStore(folder);
    for (const delay of [0, 1, 2, 3, 5, 8]) {
      await killAfter(start(folder, 'replace', 1_000_000), 'number', delay);
      const record = (await store.get('a/large')) ?? new Uint8Array();
      expect(record).toHaveLength(300_000);
      expect(new Set(record).size).toBe(1);
    }
    await store.update('a/large', one);
    expect(await store.get('a/large')).toEqual(one());
    // What the killed ones left was written over.
    const files = await readdir(folder, { recursive: true });
    expect(files.filter((name) => name.endsWith('.next'))).toEqual([]);
  });

  test('leave all records of a scope or none when they are killed while they clear it', async () => {
    for (const delay of [0, 0, 1, 2]) {
      const folder = newFolder();
      await killAfter(start(folder, 'fill', 100), 'string', delay);
      const store = new FileKeyStore(folder);
      const all = Array.from({ length: 100 }, (_, at) => store.get(`a/${at}`));
      const found = (await Promise.all(all)).filter((record) => record !== null);
      expect([0, 100]).toContain(found.length);
      await store.clear('a');
      expect(await records(folder)).toEqual([]);
    }
  });

  test.skipIf(process.platform === 'win32')(
    'leave the old record when there is no room for the new one, and say so',
    async () => {
      const folder = newFolder();
      const store = new FileKeyStore(folder);
      await store.update('a/b', one);
      expect(await writeLimited(folder, 16, 1_000_000)).toBe('KEY_STORE_FULL');
      expect(await store.get('a/b')).toEqual(one());
      expect(await readdir(folder, { recursive: true })).toHaveLength(3);
      expect(await writeLimited(folder, 16, 1000)).toBe('fulfilled');
      expect(await store.get('a/b')).toHaveLength(1000);
    },
  );

  test('take turns: who just had the lock lets the others go first', async () => {
    const folder = newFolder();
    const turns: { readonly at: number; readonly time: number }[] = [];
    // Nobody begins before everybody is there.
    const all = await new FileKeyStore(folder).lock('shared', async () => {
      const started = [0, 1].map(() => start(folder, 'turns', 30));
      await Promise.all(started.map((one) => once(one, 'message')));
      return started;
    });
    for (const [at, one] of all.entries()) {
      one.on('message', (time: number) => turns.push({ at, time }));
    }
    await Promise.all(all.map((one) => once(one, 'exit')));
    const order = turns.toSorted((a, b) => a.time - b.time).map(({ at }) => at);
    expect(order).toHaveLength(60);
    const changes = order.filter((at, index) => index > 0 && at !== order[index - 1]);
    // Without turns there are one or two; a busy machine keeps one of them from asking in time.
    expect(changes.length).toBeGreaterThan(10);
  });

  test('do not wait for one that was killed', async () => {
    const folder = newFolder();
    const holder = await startHolder(folder);
    const waiting = new FileKeyStore(folder).lock('shared', () => Promise.resolve('mine'));
    const early = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 200))]);
    expect(early).toBeUndefined();
    holder.kill('SIGKILL');
    expect(await waiting).toBe('mine');
  });

  test('do not take the lock of one that was suspended: they give up', async () => {
    const folder = newFolder();
    const holder = await startHolder(folder);
    holder.kill('SIGSTOP');
    const impatient = new FileKeyStore(folder, 100);
    let ran = false;
    const work = () => Promise.resolve((ran = true));
    expect(await codeOf(impatient.lock('shared', work))).toBe('DEVICE_BUSY');
    expect(ran).toBe(false);
    // What it holds is this lock only.
    await impatient.update('a', one);
    expect(await impatient.lock('another', work)).toBe(true);
  });
});
