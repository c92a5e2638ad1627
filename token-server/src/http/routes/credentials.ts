import { base64url, type Bytes, type Identity } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { requireIdentity } from '../../domain/identity.ts';
import { jsonBody, type InputSpec } from '../input.ts';
import { Base64url32 } from '../schemas.ts';

/** What signing up and signing in take, checked. */
export interface Credentials {
  readonly identity: Identity;
  readonly authSecret: Bytes;
}

/** 32 bytes in base64url. */
export const AuthSecret: z.ZodType<Bytes> = Base64url32.transform((text, context) => {
  const bytes = base64url.decode(text);
  if (bytes) return bytes;
  context.addIssue({ code: 'custom', message: 'expected 32 bytes in base64url' });
  return z.NEVER;
});

/**
 * Somebody's name. What breaks the protocol's rule gets a code of its own, `INVALID_IDENTITY`; the
 * document has as much of the rule as JSON Schema can say.
 */
export const IdentityText: z.ZodType<Identity> = z
  .string()
  .meta({
    minLength: 1,
    maxLength: 256,
    description:
      'Unicode in NFC, compared exactly; no control, invisible or blank characters, spaces only inside.',
  })
  .transform(requireIdentity);

/** The body `{ identity, authSecret }`. */
export const CREDENTIALS: InputSpec<Credentials> = jsonBody(
  z.strictObject({ identity: IdentityText, authSecret: AuthSecret }),
  64 * 1024,
);
