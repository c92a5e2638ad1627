import { EncryptionError } from 'twilio-chat-encryption';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { patiently } from '../../src/client/patience.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const away = (): Promise<never> =>
  Promise.reject(new EncryptionError('DIRECTORY_UNREACHABLE', 'away'));

test('what fails for now is tried again until it works', async () => {
  const start = Date.now();
  const work = (): Promise<string> =>
    Date.now() - start < 3000 ? away() : Promise.resolve('done');
  const result = patiently('DIRECTORY_UNREACHABLE', work);
  await vi.advanceTimersByTimeAsync(5000);
  expect(await result).toBe('done');
});

test('after twenty seconds it fails', async () => {
  const work = vi.fn(away);
  const result = expect(patiently('DIRECTORY_UNREACHABLE', work)).rejects.toThrow('away');
  await vi.advanceTimersByTimeAsync(20_000);
  await result;
  expect(work.mock.calls.length).toBeLessThan(10);
});

test('what no other try mends fails at once', async () => {
  const work = vi.fn(() => Promise.reject(new EncryptionError('UNAUTHORIZED', 'no')));
  await expect(patiently('DIRECTORY_UNREACHABLE', work)).rejects.toThrow('no');
  expect(work).toHaveBeenCalledOnce();
});
