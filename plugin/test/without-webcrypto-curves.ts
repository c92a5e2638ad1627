/**
 * Setup of the project `noble`: an environment whose WebCrypto has no Ed25519 and X25519, as
 * browsers had until 2025, and no ML-KEM, and which has no Argon2, so that the same tests run on noble.
 */
import { xwing } from '../src/protocol/xwing.ts';
import { curves } from '../src/protocol/curves.ts';

const { subtle } = crypto;
const importKey = subtle.importKey.bind(subtle);

Object.defineProperty(subtle, 'importKey', {
  configurable: true,
  value: (...args: Parameters<typeof importKey>) => {
    const [, , algorithm] = args;
    if (algorithm === 'Ed25519' || algorithm === 'X25519' || algorithm === 'ML-KEM-768') {
      return Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'));
    }
    return importKey(...args);
  },
});

const builtin = process.getBuiltinModule.bind(process);
const withoutArgon2 = Object.fromEntries(
  Object.entries(builtin('node:crypto')).filter(([name]) => name !== 'argon2'),
);
Object.defineProperty(process, 'getBuiltinModule', {
  configurable: true,
  value: (id: string): unknown => (id === 'node:crypto' ? withoutArgon2 : builtin(id)),
});

const chosen = await Promise.all([curves(), xwing()]);
if (chosen.some(({ name }) => name !== 'noble')) throw new Error('These tests must run on noble.');
