/** A folder where files cannot be locked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileKeyStore } from 'twilio-chat-encryption/node';
import { afterAll, expect, test, vi } from 'vitest';

const folder = await mkdtemp(join(tmpdir(), 'no-locks-'));

afterAll(() => rm(folder, { recursive: true }));

// As in a bundle, which has the script without its binary.
vi.mock('fs-native-extensions', () => {
  throw new Error('Cannot find addon');
});

test('a FileKeyStore without the binary for its locks says what is missing, and what to do', async () => {
  const store = new FileKeyStore(join(folder, 'store'));
  const updating = store.update('name', () => new Uint8Array(1));
  await expect(updating).rejects.toMatchObject({
    code: 'KEY_STORE_UNAVAILABLE',
    message: expect.stringMatching(/fs-native-extensions.*external/) as unknown,
  });
});
