/**
 * Setup of the project `noble`: an environment whose WebCrypto has no Ed25519 and X25519, as
 * browsers had until 2025, so that the same tests run on @noble/curves.
 */
import { curves } from '../src/protocol/curves.ts';

const { subtle } = crypto;
const importKey = subtle.importKey.bind(subtle);

Object.defineProperty(subtle, 'importKey', {
  configurable: true,
  value: (...args: Parameters<typeof importKey>) => {
    const [, , algorithm] = args;
    if (algorithm === 'Ed25519' || algorithm === 'X25519') {
      return Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'));
    }
    return importKey(...args);
  },
});

if ((await curves()).name !== 'noble') throw new Error('These tests must run on noble.');
