import { afterEach, expect, test, vi } from 'vitest';
import { FileShelf } from '../../src/twilio/core/incoming-files.ts';
import { encryptFile } from '../../src/twilio/core/outgoing-files.ts';
import { random } from '../protocol/people.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const ADDRESS = 'https://files.example/1';

/** A file as Twilio has it, and what its message says of it. */
async function stored() {
  const text = { contentType: 'text/plain', media: 'the report' };
  const { descriptor, upload } = await encryptFile(text, random);
  if (upload instanceof FormData) throw new TypeError('Here, files are bytes.');
  const bytes = new Uint8Array(upload.media);
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(bytes)));
  const file = {
    sid: 'ME1',
    size: bytes.length,
    getContentTemporaryUrl: () => Promise.resolve(ADDRESS),
  };
  return { descriptor, file };
}

test('a file that an edit describes otherwise is read anew', async () => {
  const { descriptor, file } = await stored();
  const shelf = new FileShelf(new AbortController().signal);
  shelf.update([descriptor], [file]);
  const [first] = shelf.files;
  shelf.update([{ ...descriptor }], [file]);
  expect(shelf.files).toEqual([first]);
  for (const other of [{ key: random(32) }, { size: descriptor.size - 1 }]) {
    shelf.update([{ ...descriptor, ...other }], [file]);
    expect(shelf.files[0]).not.toBe(first);
    await expect(shelf.files[0]?.url()).rejects.toThrow();
  }
});

test('an address that comes when its message is gone leads nowhere', async () => {
  const { descriptor, file } = await stored();
  const revoked = vi.spyOn(URL, 'revokeObjectURL');
  const shelf = new FileShelf(new AbortController().signal);
  shelf.update([descriptor], [file]);
  const coming = shelf.files[0]?.url();
  shelf.update([], []);
  expect(revoked).not.toHaveBeenCalled();
  expect(revoked).toHaveBeenCalledWith(await coming);
});

test('a device that is closed is asked to free only what is there', async () => {
  const { descriptor, file } = await stored();
  const closing = new AbortController();
  const revoked = vi.spyOn(URL, 'revokeObjectURL');
  const waiting = vi.spyOn(closing.signal, 'addEventListener');
  const ended = vi.spyOn(closing.signal, 'removeEventListener');
  const shelf = new FileShelf(closing.signal);
  for (let times = 0; times < 3; times += 1) {
    shelf.update([descriptor], [file]);
    await shelf.files[0]?.url();
    shelf.update([], []);
  }
  expect(ended.mock.calls.length).toBe(waiting.mock.calls.length);
  shelf.update([descriptor], [file]);
  const last = await shelf.files[0]?.url();
  revoked.mockClear();
  closing.abort();
  expect(revoked.mock.calls).toEqual([[last]]);
});
