/**
 * Branded strings: a value of these types went through its parser, or was computed here. Twilio's
 * and the server's strings are attacker-controlled until then.
 */
import { EncryptionError } from '../errors.ts';
import { hex, type Bytes } from './primitives.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A user of the application, as Twilio's access token names them: see {@link parseIdentity}. */
export type Identity = Branded<'Identity'>;
/** SHA-256 of a card's snapshot under a label: 64 lower-case hexadecimal digits. */
export type CardId = Branded<'CardId'>;
/** A Twilio channel or conversation sid: 1 to 64 ASCII letters and digits. */
export type ChannelSid = Branded<'ChannelSid'>;
/** The sender's random name of a message: 32 lower-case hexadecimal digits. */
export type MessageId = Branded<'MessageId'>;

// Control (Cc), unassigned and private (Cn, Co), lone surrogates (Cs), separators (Zl, Zp), all
// format characters (Cf), and whatever else is not drawn (fillers, joiners, variation selectors):
// the bidirectional and zero-width ones that make two names look alike.
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
// What looks like a space, or like nothing: any space but U+0020, that one at an end, and U+2800,
// the Braille pattern without dots.
const BLANK = /^ | $|(?! )\p{Zs}|\u2800/u;

/**
 * An identity: 1 to 256 UTF-16 units, well-formed, in Unicode form NFC, with no control, format,
 * bidirectional, zero-width or blank characters; plain spaces only inside. Compared exactly; no
 * case folding.
 * @throws EncryptionError `INVALID_IDENTITY`
 */
export function parseIdentity(value: unknown): Identity {
  if (isIdentity(value)) return value;
  throw new EncryptionError(
    'INVALID_IDENTITY',
    'An identity is 1 to 256 characters of text in Unicode form NFC, without control, invisible or blank characters.',
  );
}

function isIdentity(value: unknown): value is Identity {
  return (
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= 256 &&
    isPlainText(value) &&
    !BLANK.test(value) &&
    value.normalize('NFC') === value
  );
}

/** Whether text can be shown to people as it is: no control, bidirectional or invisible characters. */
export function isPlainText(text: string): boolean {
  return !FORBIDDEN.test(text);
}

/**
 * A card id: 64 lower-case hexadecimal digits.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function parseCardId(value: unknown): CardId {
  if (isCardId(value)) return value;
  throw new EncryptionError('INVALID_ARGUMENT', 'A card id is 64 lower-case hexadecimal digits.');
}

function isCardId(value: unknown): value is CardId {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** The card id of a 32-byte hash. */
export function cardIdOf(bytes: Uint8Array): CardId {
  return parseCardId(hex.encode(bytes));
}

/**
 * A channel sid.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function parseChannelSid(value: unknown): ChannelSid {
  if (isChannelSid(value)) return value;
  throw new EncryptionError('INVALID_ARGUMENT', 'A channel sid is 1 to 64 letters and digits.');
}

function isChannelSid(value: unknown): value is ChannelSid {
  return typeof value === 'string' && /^[0-9A-Za-z]{1,64}$/.test(value);
}

/** The message id of 16 bytes. */
export function messageIdOf(bytes: Uint8Array): MessageId {
  const text = hex.encode(bytes);
  if (isMessageId(text)) return text;
  throw new EncryptionError('INVALID_ARGUMENT', 'A message id has 16 bytes.');
}

function isMessageId(value: string): value is MessageId {
  return /^[0-9a-f]{32}$/.test(value);
}

/** The bytes behind a card id (32) or a message id (16). */
export function idBytes(id: CardId | MessageId): Bytes {
  return hex.decode(id) ?? new Uint8Array();
}
