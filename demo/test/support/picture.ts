import type { Locator, Page } from 'playwright-core';

/** A file as Playwright takes it. */
export interface ChosenFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** A picture that somebody would send: a curve of temperatures. Drawn by the page's own browser. */
export async function drawnPicture(page: Page, name: string): Promise<ChosenFile> {
  const url = await page.evaluate(() => {
    const [width, height] = [640, 360];
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = '#fdf8f0';
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#5a5348';
    context.font = 'bold 22px sans-serif';
    context.fillText('Temperature, bed 12', 28, 42);
    context.font = '15px sans-serif';
    context.strokeStyle = '#e3d9c8';
    for (const degrees of [37, 38, 39, 40]) {
      const y = 320 - (degrees - 36.5) * 70;
      context.fillText(String(degrees), 28, y + 5);
      context.fillRect(60, y, 552, 1);
    }
    const curve = [39.6, 39.9, 39.2, 38.8, 38.9, 38.1, 37.6, 37.4, 37.2];
    context.strokeStyle = '#c2412d';
    context.lineWidth = 4;
    context.lineJoin = 'round';
    context.beginPath();
    for (const [place, degrees] of curve.entries()) {
      context.lineTo(80 + place * 64, 320 - (degrees - 36.5) * 70);
    }
    context.stroke();
    return canvas.toDataURL('image/png');
  });
  return { name, mimeType: 'image/png', buffer: bytesOf(url) };
}

/** What is to be seen in an image of a page, drawn again: the same pixels give the same bytes. */
export async function pixelsOf(image: Locator): Promise<Buffer> {
  const url = await image.evaluate(async (element) => {
    if (!(element instanceof HTMLImageElement)) throw new Error('no image');
    await element.decode();
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: element.naturalWidth, height: element.naturalHeight });
    canvas.getContext('2d')?.drawImage(element, 0, 0);
    return canvas.toDataURL('image/png');
  });
  return bytesOf(url);
}

function bytesOf(dataUrl: string): Buffer {
  return Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64');
}
