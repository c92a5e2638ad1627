import type { ReactNode } from 'react';
import type { Media } from 'twilio-chat';
import { AlertIcon } from './icons.tsx';
import { useFile } from './use-file.ts';

/** Says so when the file of a verified message is not the one that its sender signed for. */
export function FileVerdict({ media }: { readonly media: Media }): ReactNode {
  const { file } = useFile(media);
  if (file.state !== 'failed' || !file.failure.isForged) return null;
  return (
    <p className="verdict bad">
      <AlertIcon />
      <span>
        <strong>{file.failure.title}</strong> The file is not the one that was sent.
      </span>
    </p>
  );
}
