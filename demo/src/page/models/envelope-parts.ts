import { parseEnvelope, type Envelope } from 'twilio-chat-encryption/protocol';

/** The parts of a stored message text: `e2e1.` and base64url of header, commitment, ciphertext. */
export interface EnvelopeParts {
  readonly prefix: string;
  readonly header: string;
  readonly rest: string;
  /** How many cards it is encrypted for; null when it follows a key message that says so. */
  readonly recipients: number | null;
}

const PREFIX = 'e2e1.';

/** Takes an envelope's text apart for display; null when it is none. Nothing is checked by it. */
export function envelopeParts(text: string): EnvelopeParts | null {
  const envelope = parsed(text);
  if (!envelope) return null;
  const encoded = text.slice(PREFIX.length);
  const { bytes, commitment, ciphertext } = envelope;
  const headerEnd = charactersOf(bytes.length - commitment.length - ciphertext.length);
  return {
    prefix: PREFIX,
    header: encoded.slice(0, headerEnd),
    rest: encoded.slice(headerEnd),
    recipients:
      envelope.type === 'follower' ? null : envelope.slots.slots.length / envelope.slots.slotLength,
  };
}

function parsed(text: string): Envelope | null {
  try {
    return parseEnvelope(text);
  } catch {
    return null;
  }
}

// Parts need not end where characters do; the character on the border counts to the first part.
function charactersOf(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}
