import { useEffect, useRef, useState, type RefObject } from 'react';
import { codeReader } from '../session/code-reader.ts';

/** A camera that looks for a code. */
interface Camera {
  readonly video: RefObject<HTMLVideoElement | null>;
  /** Why there is no picture; null while there is nothing to say. */
  readonly failure: string | null;
}

const MILLISECONDS_BETWEEN_LOOKS = 150;

/** Looks through the camera, as long as the component is there, until there is a code. */
export function useCamera(onCode: (code: string) => void): Camera {
  const video = useRef<HTMLVideoElement>(null);
  const [failure, setFailure] = useState<string | null>(null);
  // Whoever is called when there is a code may change with each drawing; the camera stays.
  const report = useRef(onCode);
  useEffect(() => {
    report.current = onCode;
  });

  useEffect(() => {
    const stopping = new AbortController();
    look(video.current, stopping.signal).then(
      (code) => {
        if (code !== null && !stopping.signal.aborted) report.current(code);
      },
      (error: unknown) => {
        if (!stopping.signal.aborted) setFailure(explainCamera(error));
      },
    );
    return () => {
      stopping.abort();
    };
  }, []);

  return { video, failure };
}

/** The first code that the camera sees; null when it was stopped before. */
async function look(video: HTMLVideoElement | null, stop: AbortSignal): Promise<string | null> {
  if (!video) return null;
  const reader = codeReader('frame');
  const stream = await openCamera();
  try {
    video.srcObject = stream;
    // Stopped while somebody was asked for permission, perhaps.
    if (stop.aborted) return null;
    await video.play();
    return await firstCode(video, await reader, stop);
  } finally {
    video.srcObject = null;
    for (const track of stream.getTracks()) track.stop();
  }
}

async function firstCode(
  video: HTMLVideoElement,
  read: Awaited<ReturnType<typeof codeReader>>,
  stop: AbortSignal,
): Promise<string | null> {
  while (!stop.aborted) {
    const code = video.videoWidth > 0 ? await read(video) : null;
    if (code !== null) return code;
    await new Promise((resolve) => setTimeout(resolve, MILLISECONDS_BETWEEN_LOOKS));
  }
  return null;
}

// The camera on the back of a phone, if there is one. Pages that came over http have no cameras.
async function openCamera(): Promise<MediaStream> {
  if (!('mediaDevices' in navigator)) throw new DOMException('no cameras', 'NotFoundError');
  return navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
}

function explainCamera(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError') {
    return 'The camera was refused. Allow it for this page, or open a picture of their code.';
  }
  if (name === 'NotFoundError') return 'There is no camera. Open a picture of their code.';
  return 'The camera does not work. Another program may use it. Open a picture of their code.';
}
