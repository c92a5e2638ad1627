import fc from 'fast-check';

/** Any code point but a surrogate: a `unit` for well-formed strings. */
export const codePoint = fc
  .oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));
