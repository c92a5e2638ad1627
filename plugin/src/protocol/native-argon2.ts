/** What Argon2id costs: memory in KiB, passes over it, and lanes. */
export interface PasswordCost {
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/**
 * Argon2id version 1.3 (RFC 9106) as Node has it from version 24 on, in a thread of its own: 32 bytes.
 * Null where it is not there, as in browsers.
 */
export async function nativeArgon2id(
  message: Uint8Array,
  nonce: Uint8Array,
  { memory, passes, lanes }: PasswordCost,
): Promise<Uint8Array | null> {
  // Not imported: bundlers would look for it.
  if (!('process' in globalThis) || !('getBuiltinModule' in globalThis.process)) return null;
  const crypto = globalThis.process.getBuiltinModule('node:crypto');
  if (!('argon2' in crypto)) return null;
  const parameters = { message, nonce, memory, passes, parallelism: lanes, tagLength: 32 };
  return new Promise((resolve) => {
    crypto.argon2('argon2id', parameters, (error, key) => {
      // An OpenSSL may have been built without it.
      resolve(error ? null : key);
    });
  });
}
