import { useEffect, useState } from 'react';
import type { Media } from 'twilio-chat';
import { fileFailure, type FileFailure } from '../texts/files.ts';

/** What became of a file that is to be shown. */
export type FileState =
  | { readonly state: 'idle' | 'loading' }
  /** The URL of the decrypted file. */
  | { readonly state: 'ready'; readonly url: string }
  | { readonly state: 'failed'; readonly failure: FileFailure };

/** A file that is loaded when it is asked for. */
export interface LoadedFile {
  readonly file: FileState;
  /** Loads it, or tries again. */
  readonly load: () => void;
}

// Larger ones wait for a click: not everybody's connection is paid for by somebody else.
const AT_ONCE_BYTES = 5_000_000;

/** Loads and decrypts a file of a message. The wrapped client keeps what was loaded. */
export function useFile(media: Media): LoadedFile {
  const [attempt, setAttempt] = useState(media.size <= AT_ONCE_BYTES ? 1 : 0);
  const [answer, setAnswer] = useState<{ media: Media; attempt: number; file: FileState }>();

  useEffect(() => {
    if (attempt === 0) return undefined;
    let isCurrent = true;
    const show = (file: FileState): void => {
      if (isCurrent) setAnswer({ media, attempt, file });
    };
    media.getContentTemporaryUrl().then(
      (url) => {
        show({ state: 'ready', url });
      },
      (error: unknown) => {
        show({ state: 'failed', failure: fileFailure(error) });
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [media, attempt]);

  const isAnswered = answer?.media === media && answer.attempt === attempt;
  const file: FileState = isAnswered ? answer.file : { state: attempt === 0 ? 'idle' : 'loading' };
  return {
    file,
    load: () => {
      setAttempt(attempt + 1);
    },
  };
}
