/** A message as Twilio has it. */
export interface StoredMessage {
  readonly text: string;
  readonly file: StoredFile | null;
}

/** A file as Twilio has it. */
export interface StoredFile {
  /** What Twilio was told of it. */
  readonly name: string | null;
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  /** Its first bytes. */
  readonly start: Uint8Array;
}

/** How many bytes of a file are looked at. */
export const START_LENGTH = 96;

/** What stands for the text of a message: beside a file, Twilio's SDK has it among the attributes. */
export function storedText(body: string | null, attributes: unknown): string {
  if (body !== null && body !== '') return body;
  return isEmpty(attributes) ? '' : (envelopeIn(attributes) ?? JSON.stringify(attributes));
}

function isEmpty(attributes: unknown): boolean {
  return (
    typeof attributes !== 'object' || attributes === null || Object.keys(attributes).length === 0
  );
}

function envelopeIn(attributes: unknown): string | null {
  const isObject = typeof attributes === 'object' && attributes !== null;
  return isObject && 'e2e' in attributes && typeof attributes.e2e === 'string'
    ? attributes.e2e
    : null;
}
