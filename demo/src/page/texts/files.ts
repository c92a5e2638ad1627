/** Why a file is not shown, in plain words. */
import { isEncryptionError, type ErrorCode } from 'twilio-chat-encryption';
import { explain } from './failures.ts';
import type { Reason } from './reasons.ts';

/** Why a file is not shown. */
export interface FileFailure extends Reason {
  /** Of the encryption's error, if it was one. */
  readonly code: ErrorCode | null;
  /** Whether the file that Twilio gave is not the one that was sent. */
  readonly isForged: boolean;
}

const FORGED: Reason = {
  title: 'File changed on the way',
  text: 'What Twilio gave is not the file that was sent: its encryption or its fingerprint does not fit.',
};

const FAILED: Readonly<Partial<Record<ErrorCode, Reason>>> = {
  DECRYPTION_FAILED: FORGED,
  MALFORMED: {
    title: 'File damaged',
    text: 'It does not have the form of an encrypted file. Its sender’s device made it wrong.',
  },
  FILE_UNREACHABLE: {
    title: 'File not loaded',
    text: 'Twilio does not give the file. It may be gone, or the connection was cut.',
  },
};

/** In place of a file that Twilio does not have. */
export const FILE_MISSING: FileFailure = {
  code: null,
  isForged: false,
  title: 'File missing',
  text: 'Its sender attached a file, and Twilio does not have it.',
};

/** Why a file could not be decrypted. */
export function fileFailure(error: unknown): FileFailure {
  const code = isEncryptionError(error) ? error.code : null;
  const isForged = code === 'DECRYPTION_FAILED' || code === 'MALFORMED';
  const reason = code === null ? undefined : FAILED[code];
  return { code, isForged, ...(reason ?? { title: 'File not shown', text: explain(error) }) };
}

/** What a file is called. */
export function fileName({ filename }: { readonly filename: string | null }): string {
  return filename ?? 'Unnamed file';
}
