/**
 * Setup of the projects `node` and `consumers`: Argon2id as Node has it, in a seventh of the time that
 * noble takes. Every device that is opened costs it. The project `noble` runs the tests of what Argon2id
 * gives on noble's, and so does `chromium`.
 */
import { argon2, type Argon2Parameters } from 'node:crypto';
import { promisify } from 'node:util';
import type * as noble from '@noble/hashes/argon2.js';
import { vi } from 'vitest';

const ofNode = promisify<'argon2id', Argon2Parameters, Uint8Array>(argon2);

vi.mock('@noble/hashes/argon2.js', async (importOriginal) => ({
  ...(await importOriginal<typeof noble>()),
  argon2idAsync: (
    message: Uint8Array,
    nonce: Uint8Array,
    { m, t, p, dkLen }: Required<Pick<noble.ArgonOpts, 'm' | 't' | 'p' | 'dkLen'>>,
  ) => {
    const cost = { memory: m, passes: t, parallelism: p, tagLength: dkLen };
    return ofNode('argon2id', { message, nonce, ...cost });
  },
}));
