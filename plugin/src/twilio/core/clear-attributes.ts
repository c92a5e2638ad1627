import { EncryptionError } from '../../errors.ts';
import { ENVELOPE_ATTRIBUTE } from './envelope-place.ts';
import { jsonCopy } from './json-copy.ts';
import type { ClearAttributes } from './sdk.ts';

/**
 * The attributes that Twilio sees too: those that the application named, if there are any. Readers
 * take them from the envelope like all others.
 * @throws EncryptionError `INVALID_CONTENT`
 */
export function clearPart(attributes: unknown, names: readonly string[]): ClearAttributes {
  if (names.length === 0 || attributes === undefined) return {};
  // As the SDKs send it: what JSON leaves out is not there.
  const members = jsonCopy(attributes);
  if (typeof members !== 'object' || members === null || Array.isArray(members)) return {};
  return Object.fromEntries(Object.entries(members).filter(([name]) => names.includes(name)));
}

/**
 * The names, checked and copied.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkedNames(names: readonly string[]): readonly string[] {
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new EncryptionError('INVALID_ARGUMENT', 'clearAttributes is a list of names.');
  }
  if (names.includes(ENVELOPE_ATTRIBUTE)) {
    throw new EncryptionError(
      'INVALID_ARGUMENT',
      `clearAttributes cannot have the name ${ENVELOPE_ATTRIBUTE}: it is this library's own.`,
    );
  }
  return [...names];
}
