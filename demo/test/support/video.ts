import type { Page } from 'playwright-core';

const SIZE = { width: 640, height: 480 };

/**
 * A video of a still picture, as Chromium's pretended camera plays it: YUV4MPEG2, whose frames are
 * brightness and two planes of colour at half the size, which are grey here.
 * @param png the picture; it is drawn in the middle, a little turned as a hand holds it
 */
export async function videoOf(page: Page, png: Buffer): Promise<Buffer> {
  const brightness = await page.evaluate(
    async ({ picture, width, height }) => {
      const bytes = Uint8Array.from(atob(picture), (one) => one.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width, height });
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no canvas');
      context.fillStyle = '#6b7280';
      context.fillRect(0, 0, width, height);
      context.translate(width / 2, height / 2);
      context.rotate(0.07);
      const side = height * 0.7;
      context.drawImage(bitmap, -side / 2, -side / 2, side, side);
      const { data } = context.getImageData(0, 0, width, height);
      const grey = (at: number): number =>
        0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
      const text = Array.from({ length: width * height }, (_, at) =>
        // Video has black at 16 and white at 235 (ITU-R BT.601).
        String.fromCharCode(16 + Math.round(grey(4 * at) * 0.859)),
      );
      return btoa(text.join(''));
    },
    { picture: png.toString('base64'), ...SIZE },
  );
  const colours = Buffer.alloc((SIZE.width * SIZE.height) / 2, 128);
  const frame = [Buffer.from('FRAME\n'), Buffer.from(brightness, 'base64'), colours];
  const header = Buffer.from(`YUV4MPEG2 W${SIZE.width} H${SIZE.height} F10:1 Ip A1:1 C420\n`);
  return Buffer.concat([header, ...frame, ...frame]);
}
