/**
 * Checks of what an application hands in, for those that no compiler checks. What is wrong is an error
 * that names the argument, and never shows its value: that may be a password.
 */
import { EncryptionError } from './errors.ts';

/** The error of an argument; `message` names it and says what it has to be. */
export function invalidArgument(message: string): EncryptionError {
  return new EncryptionError('INVALID_ARGUMENT', message);
}

/** What something is, without showing it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
}

/**
 * The same value, when it is text.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function textArgument(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw invalidArgument(`${name} must be text, and is ${kindOf(value)}.`);
}

/**
 * The same value, when it is text that a key can be derived from. A lone surrogate would become
 * U+FFFD in UTF-8, so that one password were as good as another.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function passwordArgument(value: unknown, name = 'password'): string {
  const password = textArgument(value, name);
  if (password.isWellFormed()) return password;
  throw invalidArgument(`${name} must be well-formed text, and has a lone surrogate.`);
}

/**
 * Checks that an option is true or false.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkBoolean(value: unknown, name: string): void {
  if (typeof value === 'boolean') return;
  throw invalidArgument(`${name} must be true or false, and is ${kindOf(value)}.`);
}

/**
 * Checks that these are options, and all of these names: one that is misspelt must not be believed to
 * be in force.
 * @param what names the function that takes them
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkOptions(options: unknown, names: readonly string[], what: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidArgument(
      `The options of ${what} must be an object { ${names.join(', ')} }, and are ${kindOf(options)}.`,
    );
  }
  const unknown = Object.keys(options).filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  throw invalidArgument(`Unknown options of ${what}: ${unknown.join(', ')}.`);
}

/**
 * Checks that an object has these methods.
 * @param needed names the argument, and says what it has to be
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkMethods(value: unknown, names: readonly string[], needed: string): void {
  const missing = names.filter((name) => typeof memberOf(value, name) !== 'function');
  if (missing.length === 0) return;
  const lacks = typeof value === 'object' && value !== null ? `lacks ${missing.join(', ')}` : null;
  throw invalidArgument(`${needed}; this one ${lacks ?? `is ${kindOf(value)}`}.`);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
