import { useState, type ReactNode } from 'react';
import type { Media } from 'twilio-chat';
import { FILE_MISSING, fileName } from '../texts/files.ts';
import { FileIcon } from './icons.tsx';
import { NotDecrypted } from './not-decrypted.tsx';
import { roughSize } from './sizes.ts';
import { useFile } from './use-file.ts';

interface MessageFileProps {
  readonly file: Media | 'missing';
}

/** The file of a verified message: a picture as such, others to be saved. */
export function MessageFile({ file }: MessageFileProps): ReactNode {
  if (file === 'missing') return <NotDecrypted failure={FILE_MISSING} />;
  return <ThereFile media={file} />;
}

function ThereFile({ media }: { readonly media: Media }): ReactNode {
  const { file, load } = useFile(media);
  switch (file.state) {
    case 'ready':
      return (
        <>
          {isPicture(media) && <Picture name={fileName(media)} url={file.url} />}
          <a
            className="file-line"
            href={file.url}
            download={fileName(media)}
            onClick={(event) => {
              event.stopPropagation();
            }}
          >
            <FileFacts media={media} />
          </a>
        </>
      );
    case 'failed':
      return (
        <NotDecrypted failure={file.failure} name={fileName(media)}>
          {!file.failure.isForged && <FileButton onClick={load}>Try again</FileButton>}
        </NotDecrypted>
      );
    case 'loading':
      return (
        <p className="file-line" role="status">
          <FileFacts media={media} note="decrypting…" />
        </p>
      );
    case 'idle':
      return (
        <p className="file-line">
          <FileFacts media={media} />
          <FileButton onClick={load}>Load</FileButton>
        </p>
      );
  }
}

function FileFacts({ media, note }: { readonly media: Media; readonly note?: string }): ReactNode {
  return (
    <>
      <FileIcon />
      {/* A name from elsewhere must not turn the text around it. */}
      <bdi className="file-name">{fileName(media)}</bdi>
      <small>{note ?? roughSize(media.size)}</small>
    </>
  );
}

function Picture({ name, url }: { readonly name: string; readonly url: string }): ReactNode {
  const [isBroken, setBroken] = useState(false);
  // Its sender says that it is a picture; what the browser cannot show can still be saved.
  if (isBroken) return null;
  return (
    <img
      className="picture"
      src={url}
      alt={name}
      onError={() => {
        setBroken(true);
      }}
    />
  );
}

interface FileButtonProps {
  readonly onClick: () => void;
  readonly children: ReactNode;
}

function FileButton({ onClick, children }: FileButtonProps): ReactNode {
  return (
    <button
      type="button"
      className="link"
      onClick={(event) => {
        event.stopPropagation();
        onClick();
      }}
    >
      {children}
    </button>
  );
}

// Those whose decrypted files keep their type: others could hold a script.
function isPicture({ contentType }: Media): boolean {
  return /^image\/(png|jpeg|gif|webp|avif|bmp)$/i.test(contentType);
}
