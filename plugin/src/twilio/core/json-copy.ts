import { EncryptionError } from '../../errors.ts';
import type { Json } from '../../protocol/content.ts';

/**
 * What JSON makes of a value now. The application may go on changing what it gave, or was given: what
 * is sent must not change with it.
 * @returns undefined for what JSON leaves out
 * @throws EncryptionError `INVALID_CONTENT` for what JSON cannot carry
 */
export function jsonCopy(value: unknown): Json | undefined {
  let text: string;
  try {
    text = JSON.stringify({ value });
  } catch {
    // Without the cause: it quotes the names of members.
    throw new EncryptionError('INVALID_CONTENT', 'The attributes cannot be written as JSON.');
  }
  const copy = JSON.parse(text) as { readonly value?: Json };
  return copy.value;
}
