import { expect, test, vi } from 'vitest';
import { outcomeOf } from '../../src/client/message-encryption.ts';
import { xwing } from '../../src/protocol/xwing.ts';
import { failureOf } from '../outcomes.ts';

const broken = vi.hoisted(() => ({ is: true }));

// As a page whose network fails, or whose server has another version by now.
vi.mock('@noble/hashes/sha3.js', async (original) => {
  const module = await original<Record<string, unknown>>();
  return {
    ...module,
    get shake256() {
      if (broken.is) throw new TypeError('Failed to fetch dynamically imported module');
      return module['shake256'];
    },
  };
});

test('code of suite 2 that cannot be loaded is said, and asked for again', async () => {
  const failure = await failureOf(xwing());
  expect(failure.code).toBe('POST_QUANTUM_UNAVAILABLE');
  expect(failure.cause).toBeInstanceOf(TypeError);
  // No message would be lost to it.
  expect(outcomeOf(failure).status).toBe('pending');
  broken.is = false;
  expect(await xwing()).toBe(await xwing());
});
