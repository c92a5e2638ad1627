/** Runs the library on the vectors of the specification. */
import { describe, expect, test } from 'vitest';
import { base64url, isEncryptionError, type Bytes } from 'twilio-chat-encryption/protocol';
import type {
  EnvelopeFile,
  LogFile,
  PartsFile,
  VectorCase,
  VectorFile,
} from '../../../spec/vector-files.ts';
import { hex } from '../../src/protocol/primitives.ts';

const FOLDER = '../../../spec/vectors';

/** A file of vectors: from the disk, or in a browser from Vite. Its form is in `vector-files.ts`. */
async function read(name: string): Promise<unknown> {
  if ('window' in globalThis)
    return (await (await fetch(`/spec/vectors/${name}.json`)).json()) as unknown;
  const { readFile } = await import('node:fs/promises');
  const url = new URL(`${FOLDER}/${name}.json`, import.meta.url);
  return JSON.parse(await readFile(url, 'utf8')) as unknown;
}

/** The bytes of lower-case hexadecimal. */
export function bytes(text: string): Bytes {
  const decoded = hex.decode(text);
  if (!decoded) throw new TypeError('Not hexadecimal.');
  return decoded;
}

/** The bytes of base64url. */
export function fromBase64url(text: string): Bytes {
  const decoded = base64url.decode(text);
  if (!decoded) throw new TypeError('Not base64url.');
  return decoded;
}

/** `ok` and what came out, or the code of the refusal. */
async function outcome<T>(
  action: () => T | Promise<T>,
): Promise<{ readonly result: string; readonly value?: T }> {
  try {
    return { result: 'ok', value: await action() };
  } catch (error) {
    if (isEncryptionError(error)) return { result: error.code };
    throw error;
  }
}

/** Which members a file has besides its cases, is by its name. */
type AnyFile = EnvelopeFile<VectorCase> & PartsFile<VectorCase> & LogFile<VectorCase>;

/** All cases of a file: what `open` makes of them must be what is expected. */
export function vectors<Case extends VectorCase>(
  name: string,
  open: (one: Case, file: AnyFile) => unknown,
  expected: (one: Case) => unknown,
): void {
  describe(name, async () => {
    const file = (await read(name)) as Omit<AnyFile, 'cases'> & VectorFile<Case>;
    test.each(file.cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
      const { result, value } = await outcome(() => open(one, file));
      // The library says null in both cases, and its caller knows which of them it is.
      expect(result).toBe(one.result === 'KEY_MISSING' ? 'NOT_ADDRESSED' : one.result);
      if (result === 'ok') expect(value).toEqual(expected(one));
    });
  });
}
