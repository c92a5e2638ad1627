import { useRef, type ReactNode } from 'react';

interface PictureButtonProps {
  readonly disabled: boolean;
  readonly onPicture: (picture: File) => void;
}

/** Lets a picture of a code be chosen, where there is no camera. */
export function PictureButton({ disabled, onPicture }: PictureButtonProps): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        aria-label="Picture of their code"
        onChange={({ target }) => {
          const [picture] = target.files ?? [];
          // Else the same file, chosen again, would be no change.
          target.value = '';
          if (picture) onPicture(picture);
        }}
      />
      <button
        type="button"
        className="secondary"
        disabled={disabled}
        onClick={() => {
          input.current?.click();
        }}
      >
        Open a picture of it
      </button>
    </>
  );
}
