import { expect, test } from 'vitest';
import { deriveAuthSecret } from 'twilio-chat-encryption/protocol';
import { codeOf } from '../outcomes.ts';

// Computed with OpenSSL's Argon2 and HMAC. Everybody's sign-in depends on it: it never changes.
// The two have the same concatenation of origin and identity.
test.each([
  ['https://a', 'bc', 'ZrGPddHT9c3GnLG-LmXp8iif_HGDYCi1C_sTALE9G6Y'],
  ['https://ab', 'c', 'oahTBjY-OLkxZRTixZ80aSuNnQAwcSDykW5pQZTR6lk'],
])(
  'the sign-in secret at the origin %j of %j stays what it is',
  async (origin, identity, secret) => {
    expect(await deriveAuthSecret('correct horse', identity, origin)).toBe(secret);
  },
);

test('a sign-in secret needs a password, an origin and an identity', async () => {
  const origin = 'https://chat.example';
  expect(await codeOf(deriveAuthSecret('', 'alice', origin))).toBe('INVALID_ARGUMENT');
  expect(await codeOf(deriveAuthSecret('password', 'alice', ''))).toBe('INVALID_ARGUMENT');
  expect(await codeOf(deriveAuthSecret('password', 'a\u200b', origin))).toBe('INVALID_IDENTITY');
});
