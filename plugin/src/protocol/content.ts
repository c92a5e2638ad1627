import { EncryptionError } from '../errors.ts';
import { equal, utf8, utf8Text, type Bytes } from './primitives.ts';

/** A value that JSON can carry. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What a message says. */
export interface Content {
  readonly body?: string;
  /** The application's attributes; any JSON value, nested at most 32 deep. */
  readonly attributes?: Json;
}

const MAX_DEPTH = 32;

/**
 * The bytes of a message's content: UTF-8 JSON, as `JSON.stringify` writes it.
 * @throws EncryptionError `INVALID_CONTENT` for what JSON cannot carry (a cycle, a bigint), lone
 * surrogates, nesting deeper than 32, and members named `__proto__`
 */
export function encodeContent(content: { body?: string; attributes?: unknown }): Bytes {
  const { body, attributes } = content;
  let bytes: Bytes;
  try {
    bytes = utf8(JSON.stringify({ body, attributes }));
  } catch {
    // Without the cause: it quotes the names of members.
    throw new EncryptionError('INVALID_CONTENT', 'The attributes cannot be written as JSON.');
  }
  if (decodeContent(bytes) === null) {
    throw new EncryptionError(
      'INVALID_CONTENT',
      'Body and attributes must be well-formed text (no lone surrogates), nested at most 32 deep, with no member named __proto__.',
    );
  }
  return bytes;
}

/**
 * The content in these bytes, or null when they are not its one serialisation: duplicate or
 * unknown members, other spellings, lone surrogates and deep nesting are refused, so that every
 * client reads the same.
 */
export function decodeContent(bytes: Bytes): Content | null {
  const text = utf8Text(bytes);
  if (text === null) return null;
  try {
    const json: unknown = JSON.parse(text);
    if (!isJson(json, MAX_DEPTH + 1) || !isContent(json)) return null;
    const { body, attributes } = json;
    return equal(utf8(JSON.stringify({ body, attributes })), bytes) ? json : null;
  } catch {
    return null;
  }
}

function isContent(json: Json): json is Content & Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return false;
  return !('body' in json) || typeof json['body'] === 'string';
}

function isJson(value: unknown, depth: number): value is Json {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed();
    case 'object':
      if (value === null) return true;
      return (
        depth > 0 &&
        Object.entries(value).every(([name, member]) => isName(name) && isJson(member, depth - 1))
      );
    default:
      return typeof value === 'number' || typeof value === 'boolean';
  }
}

// An application that copies attributes into an object of its own must not have its prototype set.
function isName(name: string): boolean {
  return name.isWellFormed() && name !== '__proto__';
}
