import { base64url, type Bytes, type Identity } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { requireIdentity } from '../../domain/identity.ts';
import type { BodySpec } from '../route.ts';

/** What signing up and signing in take, checked. */
export interface Credentials {
  readonly identity: Identity;
  readonly authSecret: Bytes;
}

/** 32 bytes in base64url. */
export const AuthSecret: z.ZodType<Bytes> = z.string().transform((text, context): Bytes => {
  const bytes = base64url.decode(text);
  if (bytes?.length === 32) return bytes;
  context.addIssue({ code: 'custom', message: 'expected 32 bytes in base64url' });
  return z.NEVER;
});

/** The body `{ identity, authSecret }`. A bad identity gets its own code, `INVALID_IDENTITY`. */
export const CREDENTIALS: BodySpec<Credentials> = {
  schema: z.strictObject({
    identity: z.string().transform(requireIdentity),
    authSecret: AuthSecret,
  }),
  limit: 64 * 1024,
};
