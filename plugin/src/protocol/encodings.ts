/** Bytes as text (RFC 4648). Each `decode` gives null for all but the one canonical form. */

/** An encoding. */
export interface Encoding {
  readonly encode: (bytes: Uint8Array) => string;
  /** Null when the text is not what `encode` gives of some bytes. */
  readonly decode: (text: string) => Uint8Array<ArrayBuffer> | null;
}

// To make one costs a browser more than to use it.
const decoder = new TextDecoder();
// No character has this value.
const NONE = 255;
const DIGITS = '0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LETTERS = UPPER + UPPER.toLowerCase();

/** Unpadded base64url (§5). */
export const base64url: Encoding = encoding(`${LETTERS}${DIGITS}-_`);

/** Padded base64 (§4). */
export const base64: Encoding = padded(encoding(`${LETTERS}${DIGITS}+/`));

/**
 * Upper-case base32 (§6) without padding. In a QR code it takes 5.5 bits a character, where lower case
 * takes eight.
 */
export const base32: Encoding = encoding(`${UPPER}234567`);

/** Lower-case hexadecimal. */
export const hex: Encoding = encoding(`${DIGITS}abcdef`);

/** @param alphabet 16, 32 or 64 characters of ASCII */
function encoding(alphabet: string): Encoding {
  const bits = Math.log2(alphabet.length);
  const codes = Uint8Array.from(alphabet, (character) => character.charCodeAt(0));
  const values = new Uint8Array(128).fill(NONE);
  for (const [value, code] of codes.entries()) values[code] = value;

  return {
    encode(bytes) {
      const text = new Uint8Array(Math.ceil((bytes.length * 8) / bits));
      let [at, held, left] = [0, 0, 0];
      for (const byte of bytes) {
        held = (held << 8) | byte;
        for (left += 8; left >= bits; at += 1) {
          left -= bits;
          text[at] = codes[(held >> left) & (alphabet.length - 1)] ?? 0;
        }
        held &= 255;
      }
      // What is left over is filled up with zeros.
      if (left > 0) text[at] = codes[(held << (bits - left)) & (alphabet.length - 1)] ?? 0;
      return decoder.decode(text);
    },

    decode(text) {
      const bytes = new Uint8Array((text.length * bits) >> 3);
      let [at, held, left] = [0, 0, 0];
      for (let index = 0; index < text.length; index += 1) {
        const value = values[text.charCodeAt(index)] ?? NONE;
        if (value === NONE) return null;
        held = ((held << bits) | value) & 0xffff;
        left += bits;
        if (left < 8) continue;
        left -= 8;
        bytes[at] = held >> left;
        at += 1;
      }
      // A character too many, or something in the bits that fill up the last one.
      const isCanonical = left < bits && (held & ((1 << left) - 1)) === 0;
      return isCanonical ? bytes : null;
    },
  };
}

/** With as many `=` as make the text a multiple of four long. */
function padded({ encode, decode }: Encoding): Encoding {
  const fill = (text: string): string => text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  return {
    encode: (bytes) => fill(encode(bytes)),
    decode(text) {
      // Of any number, a text of nothing else would take the square of its length.
      const bare = text.replace(/={1,2}$/, '');
      return fill(bare) === text ? decode(bare) : null;
    },
  };
}
