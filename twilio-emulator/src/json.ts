/** A JSON object nothing is known about yet. Its keys may be hostile: read fixed names only. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Is this a JSON object (not an array, not null)? */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON value in a text, or `undefined` if it holds none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The number of bytes a text takes in UTF-8: what Twilio's size limits count. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
