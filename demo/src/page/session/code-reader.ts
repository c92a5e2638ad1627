/** Reads QR codes: with the browser's own reader where there is one, else with one that is loaded. */

interface Detector {
  detect(source: HTMLVideoElement | HTMLCanvasElement): Promise<readonly DetectedCode[]>;
}

interface DetectedCode {
  readonly rawValue: string;
}

interface DetectorClass {
  new (options: { readonly formats: readonly string[] }): Detector;
  getSupportedFormats(): Promise<readonly string[]>;
}

declare global {
  // https://wicg.github.io/shape-detection-api/, which few browsers have and TypeScript does not know.
  var BarcodeDetector: DetectorClass | undefined;
}

/** There is no code in a picture that was chosen. */
export class NoCode extends Error {}

/** Gives the text of the code in a picture, or null when none is seen in it. */
export type CodeReader = (picture: HTMLVideoElement | HTMLCanvasElement) => Promise<string | null>;

/** How long to look: at a frame of a camera, which the next one follows, or at one picture. */
type Effort = 'frame' | 'picture';

const PICTURE_MILLISECONDS = 3000;
// More than any code needs; photographs have many times as many.
const MAX_PIXELS = 1600;

/** A reader of this browser. */
export async function codeReader(effort: Effort): Promise<CodeReader> {
  const detector = await nativeDetector();
  if (detector) {
    return async (picture) => {
      const [found] = await detector.detect(picture).catch(() => []);
      return found?.rawValue ?? null;
    };
  }
  const { decodeQR } = await import('qr/decode.js');
  const options = effort === 'frame' ? {} : { effort: Infinity, timeLimit: PICTURE_MILLISECONDS };
  return (picture) => {
    try {
      return Promise.resolve(decodeQR(pixelsOf(picture), options));
    } catch {
      // Its way to say that there is none.
      return Promise.resolve(null);
    }
  };
}

/**
 * Reads the code in an image file.
 * @throws NoCode when there is none, or it is no image
 */
export async function codeInFile(file: Blob): Promise<string> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new NoCode();
  });
  try {
    const scale = Math.min(1, MAX_PIXELS / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale)];
    const canvas = drawn(bitmap, width, height);
    const code = await (await codeReader('picture'))(canvas);
    if (code === null) throw new NoCode();
    return code;
  } finally {
    bitmap.close();
  }
}

// Some browsers have the interface, and on this machine nothing behind it.
async function nativeDetector(): Promise<Detector | null> {
  const Native = globalThis.BarcodeDetector;
  const formats = await Native?.getSupportedFormats().catch((): readonly string[] => []);
  return Native && formats?.includes('qr_code') ? new Native({ formats: ['qr_code'] }) : null;
}

function pixelsOf(picture: HTMLVideoElement | HTMLCanvasElement): ImageData {
  const canvas =
    picture instanceof HTMLCanvasElement
      ? picture
      : drawn(picture, picture.videoWidth, picture.videoHeight);
  return contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height);
}

function drawn(picture: CanvasImageSource, width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = contextOf(canvas);
  // Codes with a transparent background are dark on light, too.
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser draws nothing.');
  return context;
}
