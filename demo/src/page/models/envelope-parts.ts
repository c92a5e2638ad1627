/** The parts of a stored message text, as spec'd: `e2e1.` and base64url of header, commitment, ciphertext. */
export interface EnvelopeParts {
  readonly prefix: string;
  readonly header: string;
  readonly rest: string;
  /** How many cards it is encrypted for. */
  readonly recipients: number;
}

const PREFIX = 'e2e1.';
// version, type, suite, flags | nonce[16] | ephemeral key[32] | count[2]
const COUNT_AT = 4 + 16 + 32;
const SLOT_BYTES = 36;

/** Takes an envelope's text apart for display; null when it is none. Nothing is checked by it. */
export function envelopeParts(text: string): EnvelopeParts | null {
  if (!text.startsWith(PREFIX)) return null;
  const encoded = text.slice(PREFIX.length);
  const start = bytesOf(encoded.slice(0, charactersOf(COUNT_AT + 2)));
  const recipients = (start[COUNT_AT] ?? 0) * 256 + (start[COUNT_AT + 1] ?? 0);
  const headerEnd = charactersOf(COUNT_AT + 2 + recipients * SLOT_BYTES);
  return {
    prefix: PREFIX,
    header: encoded.slice(0, headerEnd),
    rest: encoded.slice(headerEnd),
    recipients,
  };
}

// Parts need not end where characters do; the character on the border counts to the first part.
function charactersOf(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}

function bytesOf(base64url: string): Uint8Array {
  try {
    const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
