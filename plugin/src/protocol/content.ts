import { EncryptionError } from '../errors.ts';
import { isPlainText } from './identifiers.ts';
import type { MediaKey } from './media.ts';
import { base64url, equal, utf8, utf8Text, type Bytes } from './primitives.ts';

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A file of a message: what opens it, and what it is. */
export interface MediaDescriptor extends MediaKey {
  /** 1 to 255 printable ASCII characters, such as `image/png`. */
  readonly type: string;
  /** A file name without a path; 1 to 256 characters that can be shown to people. */
  readonly name?: string;
}

/** What a message says. */
export interface Content {
  readonly body?: string;
  /** The application's attributes; any JSON value, nested at most 32 deep. */
  readonly attributes?: Json;
  readonly subject?: string;
  /** 1 to 32 files, in the order in which they are attached to the message. */
  readonly media?: readonly MediaDescriptor[];
}

const MAX_DEPTH = 32;
const MAX_MEDIA = 32;
// Far over what Twilio stores (150 MB), and far below where numbers lose their units.
const MAX_MEDIA_SIZE = 2 ** 40;

/**
 * The bytes of a message's content: UTF-8 JSON, as `JSON.stringify` writes it, members in the order
 * body, attributes, subject, media.
 * @throws EncryptionError `INVALID_CONTENT` for what JSON cannot carry (a cycle, a bigint), lone
 * surrogates, nesting deeper than 32, members named `__proto__`, and files that are not described as
 * {@link MediaDescriptor} says
 */
export function encodeContent(
  content: Omit<Content, 'attributes'> & { readonly attributes?: unknown },
): Bytes {
  let bytes: Bytes;
  try {
    bytes = utf8(stringify(content));
  } catch {
    // Without the cause: it quotes the names of members.
    throw new EncryptionError('INVALID_CONTENT', 'The attributes cannot be written as JSON.');
  }
  if (decodeContent(bytes) === null) {
    throw new EncryptionError(
      'INVALID_CONTENT',
      'Body, subject and attributes must be well-formed text (no lone surrogates), nested at most 32 deep, with no member named __proto__; files need a type and a plain name.',
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
    if (!isJson(json, MAX_DEPTH + 1) || !isObject(json)) return null;
    const content = contentOf(json);
    return content && equal(utf8(stringify(content)), bytes) ? content : null;
  } catch {
    return null;
  }
}

function stringify({
  body,
  attributes,
  subject,
  media,
}: { [Name in keyof Content]: unknown }): string {
  const files = Array.isArray(media) ? media.map(mediaJson) : media;
  return JSON.stringify({ body, attributes, subject, media: files });
}

function mediaJson({ key, size, hash, type, name }: MediaDescriptor): Json {
  const [keyText, hashText] = [base64url.encode(key), base64url.encode(hash)];
  const required = { key: keyText, size, hash: hashText, type };
  return name === undefined ? required : { ...required, name };
}

type JsonObject = Readonly<Record<string, Json>>;

function contentOf(json: JsonObject): Content | null {
  const { body, attributes, subject, media } = json;
  if (!isTextOrAbsent(body) || !isTextOrAbsent(subject)) return null;
  const files = media === undefined ? undefined : mediaOf(media);
  if (files === null) return null;
  return {
    ...(body !== undefined && { body }),
    ...(attributes !== undefined && { attributes }),
    ...(subject !== undefined && { subject }),
    ...(files !== undefined && { media: files }),
  };
}

function mediaOf(json: Json): readonly MediaDescriptor[] | null {
  if (!Array.isArray(json) || json.length < 1 || json.length > MAX_MEDIA) return null;
  const files = json.map(descriptorOf);
  return files.every((file) => file !== null) ? files : null;
}

function descriptorOf(json: Json): MediaDescriptor | null {
  if (!isObject(json)) return null;
  const { size, type, name } = json;
  const [key, hash] = [bytes32(json['key']), bytes32(json['hash'])];
  if (!key || !hash || typeof size !== 'number' || !isSize(size)) return null;
  if (typeof type !== 'string' || !/^[!-~]+(?: [!-~]+)*$/.test(type) || type.length > 255) {
    return null;
  }
  if (name === undefined) return { key, size, hash, type };
  return isFileName(name) ? { key, size, hash, type, name } : null;
}

function bytes32(json: Json | undefined): Bytes | null {
  const bytes = typeof json === 'string' ? base64url.decode(json) : null;
  return bytes?.length === 32 ? bytes : null;
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0 && size <= MAX_MEDIA_SIZE;
}

// Whoever saves the file may use its name: no way out of the folder, nothing that looks otherwise.
function isFileName(name: Json): name is string {
  if (typeof name !== 'string' || name.length < 1 || name.length > 256) return false;
  return isPlainText(name) && !/[/\\]/.test(name) && name !== '.' && name !== '..';
}

function isTextOrAbsent(json: Json | undefined): json is string | undefined {
  return json === undefined || typeof json === 'string';
}

function isObject(json: Json): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
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
