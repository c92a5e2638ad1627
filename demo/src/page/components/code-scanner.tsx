import { useEffect, useRef, type ReactNode } from 'react';
import { Notice } from './notice.tsx';
import { useCamera } from './use-camera.ts';

interface CodeScannerProps {
  readonly identity: string;
  readonly onCode: (code: string) => void;
  readonly onStop: () => void;
}

/** The camera's picture, until there is a code in it. Escape stops it. */
export function CodeScanner({ identity, onCode, onStop }: CodeScannerProps): ReactNode {
  const { video, failure } = useCamera(onCode);
  const stop = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    stop.current?.focus();
  }, []);

  return (
    <div
      className="code-scanner"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        // The panel stays.
        event.stopPropagation();
        onStop();
      }}
    >
      {failure === null ? (
        <>
          <video ref={video} muted playsInline aria-label="Picture of the camera" />
          <p className="hint" role="status">
            Hold the code on the screen of {identity} before the camera.
          </p>
        </>
      ) : (
        <Notice kind="error">{failure}</Notice>
      )}
      <button ref={stop} type="button" className="secondary" onClick={onStop}>
        {failure === null ? 'Stop scanning' : 'Back to the code'}
      </button>
    </div>
  );
}
