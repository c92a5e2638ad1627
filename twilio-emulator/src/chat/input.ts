import { refuse } from '../errors.ts';
import { parseJson, utf8Length, type JsonRecord } from '../json.ts';
import { MAX_BODY_BYTES, MAX_MEDIA_PER_MESSAGE, MAX_NAME_LENGTH } from '../limits.ts';

const CHANNEL_SID = /^CH[0-9a-f]{32}$/;

/** The message text in a request; absent if the request has none. `null` means empty. */
export function bodyIn(request: JsonRecord): string | undefined {
  const body = text(request, 'body');
  if (body !== null && body !== undefined && utf8Length(body) > MAX_BODY_BYTES) {
    throw refuse('bodyTooLong', `at most ${MAX_BODY_BYTES} bytes`);
  }
  return body === null ? '' : body;
}

/** The attributes in a request: JSON text of any type of value; absent if the request has none. */
export function attributesIn(request: JsonRecord, maxBytes: number): string | undefined {
  const attributes = text(request, 'attributes');
  if (attributes === undefined || attributes === null) return undefined;
  if (utf8Length(attributes) > maxBytes) {
    throw refuse('attributesTooLong', `at most ${maxBytes} bytes`);
  }
  if (parseJson(attributes) === undefined) throw refuse('attributesInvalid');
  return attributes;
}

/** The sids of the files a message in a request carries, under the name either SDK gives them. */
export function mediaIn({ media_sid: one, media_sids: several }: JsonRecord): readonly string[] {
  const sids: unknown = several ?? (one === undefined ? [] : [one]);
  if (!Array.isArray(sids) || !sids.every((sid) => typeof sid === 'string')) {
    throw refuse('invalidRequest', 'media sid');
  }
  if (sids.length > MAX_MEDIA_PER_MESSAGE) throw refuse('invalidRequest', 'too many media');
  return sids;
}

/** The subject of a message in a request; only Conversations has them. */
export function subjectIn(request: JsonRecord): string | null {
  const subject = text(request, 'subject') ?? null;
  if (subject !== null && subject.length > MAX_NAME_LENGTH)
    throw refuse('invalidRequest', 'subject');
  return subject;
}

/** The friendly name in a request: null removes it, absent leaves it. */
export function friendlyNameIn(request: JsonRecord): string | null | undefined {
  const name = text(request, 'friendly_name');
  if (typeof name === 'string' && name.length > MAX_NAME_LENGTH)
    throw refuse('friendlyNameTooLong');
  return name;
}

/** The unique name in a request: null or nothing removes it, absent leaves it. */
export function uniqueNameIn(request: JsonRecord): string | null | undefined {
  const name = text(request, 'unique_name');
  if (typeof name !== 'string') return name;
  if (name.length > MAX_NAME_LENGTH) throw refuse('uniqueNameTooLong');
  if (CHANNEL_SID.test(name)) throw refuse('uniqueNameLikeSid');
  return name === '' ? null : name;
}

/** The identity a request is about. */
export function identityIn(request: JsonRecord): string {
  const identity = text(request, 'identity');
  if (typeof identity !== 'string' || identity === '') throw refuse('invalidRequest', 'identity');
  if (identity.length > MAX_NAME_LENGTH) throw refuse('identityTooLong');
  return identity;
}

/** The read horizon in a request, under the name either SDK gives it. */
export function horizonIn(request: JsonRecord): number | null | undefined {
  const horizon = request['last_consumed_message_index'] ?? request['last_read_message_index'];
  if (typeof horizon === 'number' && Number.isSafeInteger(horizon) && horizon >= 0) return horizon;
  if (horizon !== undefined && horizon !== null) throw refuse('invalidRequest', 'message index');
  const cleared =
    request['last_consumed_message_index'] === null || request['last_read_message_index'] === null;
  return cleared ? null : undefined;
}

function text(request: JsonRecord, name: string): string | null | undefined {
  const value = request[name];
  if (value === undefined || value === null || typeof value === 'string') return value;
  throw refuse('invalidRequest', `${name} is not a text`);
}
