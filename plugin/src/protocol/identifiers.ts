/**
 * Branded strings: a value of these types went through its parser, or was computed here. Twilio's
 * and the server's strings are attacker-controlled until then.
 */
import { EncryptionError } from '../errors.ts';
import { hex, type Bytes } from './primitives.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A user of the application, as Twilio's access token names them; `parseIdentity` says its form. */
export type Identity = Branded<'Identity'>;
/** SHA-256 of a card's snapshot under a label: 64 lower-case hexadecimal digits. */
export type CardId = Branded<'CardId'>;
/** A Twilio channel or conversation sid: 1 to 64 ASCII letters and digits. */
export type ChannelSid = Branded<'ChannelSid'>;
/** The sender's random name of a message: 32 lower-case hexadecimal digits. */
export type MessageId = Branded<'MessageId'>;

/** Code points from the first to the last; one alone is its own last. */
type CodePoints = readonly (readonly [first: number, last?: number])[];

// Both lists are those of spec/card.md, by code point and not by category: engines know different
// versions of Unicode, and two clients must not disagree about a card.

// What changes how the characters beside it are shown.
const DISTURBING: CodePoints = [
  [0x0000, 0x001f], // controls
  [0x007f, 0x009f],
  [0x061c], // marks of direction
  [0x200e, 0x200f],
  [0x2028, 0x202e], // separators of lines and paragraphs; embeddings and overrides of direction
  [0x2066, 0x206f], // isolates; deprecated controls of mirroring, shapes and digits
  [0xd800, 0xdfff], // lone surrogates
  [0xfdd0, 0xfdef], // noncharacters, beside the last two of each plane
  [0xfeff], // the byte-order mark, which programs drop
  [0xfff9, 0xfffb], // interlinear annotations, of which programs show one half
];

// What is not seen, or looks like a space: all that Unicode 17.0 has in Cf, Zl, Zp, Zs but U+0020,
// and Default_Ignorable_Code_Point, which reserves what is not assigned yet and will not be drawn.
const HIDDEN: CodePoints = [
  ...DISTURBING,
  [0x00a0],
  [0x00ad],
  [0x034f],
  [0x0600, 0x0605],
  [0x06dd],
  [0x070f],
  [0x0890, 0x0891],
  [0x08e2],
  [0x115f, 0x1160],
  [0x1680],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x2000, 0x200d],
  [0x202f],
  [0x205f, 0x2065],
  [0x2800], // the Braille pattern without dots
  [0x3000],
  [0x3164],
  [0xe000, 0xf8ff], // private use: a font may draw anything
  [0xfe00, 0xfe0f],
  [0xffa0],
  [0xfff0, 0xfff8],
  [0x110bd],
  [0x110cd],
  [0x13430, 0x1343f],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
  [0xf0000, 0x10ffff], // private use
];

function hasAny(text: string, codePoints: CodePoints): boolean {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0).some(
    (code) =>
      // The last two of each plane are noncharacters.
      (code & 0xfffe) === 0xfffe ||
      codePoints.some(([first, last = first]) => code >= first && code <= last),
  );
}

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
    !hasAny(value, HIDDEN) &&
    !/^ | $/.test(value) &&
    value.normalize('NFC') === value
  );
}

/**
 * Whether text can be shown to people as a name: of a file, of a device. Nothing in it ends the line,
 * changes a direction or hides what stands beside it. Joiners, variation selectors and characters
 * that are newer than this engine are fine: names are not compared.
 */
export function isPlainText(text: string): boolean {
  return !hasAny(text, DISTURBING);
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
