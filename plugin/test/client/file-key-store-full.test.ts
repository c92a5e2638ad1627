/** A file key store on a full disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { FileKeyStore } from 'twilio-chat-encryption/node';
import { codeOf } from '../outcomes.ts';

const disk = vi.hoisted(() => ({ code: '' }));

vi.mock(import('node:fs/promises'), async (original) => {
  const fs = await original();
  return {
    ...fs,
    async open(...opened: Parameters<typeof fs.open>) {
      const file = await fs.open(...opened);
      // Where a full disk is noticed.
      if (disk.code !== '' && opened[1] === 'w') {
        file.writeFile = () =>
          Promise.reject(Object.assign(new Error('no space'), { code: disk.code }));
      }
      return file;
    },
  };
});

const root = await mkdtemp(join(tmpdir(), 'key-store-full-'));
afterAll(() => rm(root, { recursive: true }));

test.each(['ENOSPC', 'EDQUOT', 'EFBIG'])(
  '%s is KEY_STORE_FULL, and what was there stays',
  async (code) => {
    const store = new FileKeyStore(join(root, code));
    await store.update('a/b', () => Uint8Array.of(1));
    disk.code = code;
    expect(await codeOf(store.update('a/b', () => Uint8Array.of(2)))).toBe('KEY_STORE_FULL');
    expect(await codeOf(store.update('a/c', () => Uint8Array.of(2)))).toBe('KEY_STORE_FULL');
    disk.code = '';
    expect(await store.get('a/b')).toEqual(Uint8Array.of(1));
    expect(await store.get('a/c')).toBeNull();
    await store.update('a/c', () => Uint8Array.of(3));
  },
);
