/** Schemas of what is in several requests and answers. */
import type { LookupJson } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';

/** Bytes, at least one. */
export const Base64url: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'expected bytes in base64url');

/** 32 bytes: the last character has two bits that are 0. */
export const Base64url32: z.ZodType<string, string> = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'expected 32 bytes in base64url');

/** The id of a card. */
export const CardId: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');

/** Milliseconds since 1970. */
export const Time: z.ZodType<number> = z.int().min(0);

/** How many, or which one. */
export const Count: z.ZodType<number> = z.int().min(0);

/** Several hashes. */
export const Hashes: z.ZodType<readonly string[]> = z.array(Base64url32);

/** An object without members. */
export const Empty: z.ZodType<object> = z.strictObject({});

/** What the log says of identities: spec/log.md. */
export const Lookup: z.ZodType<LookupJson> = z.strictObject({
  lastLeaf: Base64url.nullable(),
  inclusion: Hashes,
  found: z.array(
    z.strictObject({
      entries: z.array(z.strictObject({ entry: Base64url, content: Base64url })),
      siblings: Hashes,
      other: z
        .strictObject({ identityHash: Base64url32, count: Count, history: Base64url32 })
        .nullable(),
    }),
  ),
});
