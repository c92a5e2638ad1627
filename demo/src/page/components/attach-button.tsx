import { useRef, type ReactNode } from 'react';
import { AttachIcon } from './icons.tsx';

interface AttachButtonProps {
  readonly disabled: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** Lets files be chosen. */
export function AttachButton({ disabled, onFiles }: AttachButtonProps): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to attach"
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          // Else the same file, removed and chosen again, would be no change.
          target.value = '';
        }}
      />
      <button
        type="button"
        className="icon-button"
        title="Attach files"
        disabled={disabled}
        onClick={() => {
          input.current?.click();
        }}
      >
        <AttachIcon />
        <span className="visually-hidden">Attach files</span>
      </button>
    </>
  );
}
