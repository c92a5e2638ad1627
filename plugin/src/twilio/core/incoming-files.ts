/** Files of a verified message: loaded from where Twilio keeps them, and decrypted. */
import { matchingFiles } from '../../client/matching-files.ts';
import { EncryptionError } from '../../errors.ts';
import { loaded } from '../../loading.ts';
import type { MediaDescriptor } from '../../protocol/content.ts';
import type { MediaProgress } from '../../protocol/media.ts';
import { equal, type Bytes } from '../../protocol/primitives.ts';
import { blobOf } from './blob-of.ts';
import { loadFile } from './load-file.ts';
import type { PortFile } from './sdk.ts';

/** A file of a message, as its sender described it. */
export interface IncomingFile<File extends PortFile = PortFile> {
  readonly descriptor: MediaDescriptor;
  /** Where Twilio keeps it. */
  readonly file: File;
  /**
   * A `blob:` URL of the decrypted file, for this page alone; the same one each time, until
   * {@link IncomingFile.revoke}.
   */
  readonly url: () => Promise<string>;
  /** The decrypted file as it is loaded; any size passes through little memory. */
  readonly stream: (progress?: MediaProgress) => Promise<ReadableStream<Bytes>>;
  /** Frees what `url()` gave. */
  readonly revoke: () => void;
}

/**
 * The files of one message as it is opened again and again, none at first; they are freed when the device
 * is closed. A class, as there is one for each message.
 */
export class FileShelf<File extends PortFile> {
  readonly #closed: AbortSignal;
  #files: readonly IncomingFile<File>[] = [];

  constructor(closed: AbortSignal) {
    this.#closed = closed;
  }

  get files(): readonly IncomingFile<File>[] {
    return this.#files;
  }

  /** Shows these; what is not among them any more is revoked. */
  update(descriptors: readonly MediaDescriptor[], files: readonly File[]): void {
    const sizes = files.map(({ size }) => size);
    const before = this.#files;
    this.#files = matchingFiles(descriptors, sizes).flatMap((at, index) => {
      const [descriptor, file] = [descriptors[index], at === null ? undefined : files[at]];
      if (!descriptor || !file) return [];
      const known = before.find((one) => isSame(one, descriptor, file));
      return [known ?? incomingFile(descriptor, file, this.#closed)];
    });
    for (const file of before) if (!this.#files.includes(file)) file.revoke();
  }
}

function isSame(one: IncomingFile, descriptor: MediaDescriptor, file: PortFile): boolean {
  const { key, hash, size, type, name } = one.descriptor;
  return (
    one.file.sid === file.sid &&
    equal(hash, descriptor.hash) &&
    // A sender can make bytes that two keys open: what was read with the other one is another file.
    equal(key, descriptor.key) &&
    size === descriptor.size &&
    type === descriptor.type &&
    name === descriptor.name
  );
}

function incomingFile<File extends PortFile>(
  descriptor: MediaDescriptor,
  file: File,
  closed: AbortSignal,
): IncomingFile<File> {
  let loading: Promise<string> | null = null;
  let shown: string | null = null;

  async function stream(progress: MediaProgress = {}): Promise<ReadableStream<Bytes>> {
    checkOpen(closed);
    const signal = AbortSignal.any([closed, ...(progress.signal ? [progress.signal] : [])]);
    const { decryptMedia } = await loaded(() => import('../../protocol/media.ts'));
    const { body } = await loadFile(file, signal);
    return decryptMedia(body ?? new Blob().stream(), descriptor, { ...progress, signal });
  }

  async function load(): Promise<string> {
    const decrypted = await blobOf(await stream());
    checkOpen(closed);
    return URL.createObjectURL(new Blob([decrypted], { type: shownType(descriptor.type) }));
  }

  function url(): Promise<string> {
    if (loading) return loading;
    const isWanted = (): boolean => loading === started;
    const started = load().then(
      (made) => {
        // Its message may have gone meanwhile, or the device.
        if (isWanted() && !closed.aborted) {
          shown = made;
          closed.addEventListener('abort', revoke);
        } else URL.revokeObjectURL(made);
        return made;
      },
      (error: unknown) => {
        if (isWanted()) loading = null;
        throw error;
      },
    );
    loading = started;
    return started;
  }

  function revoke(): void {
    if (shown !== null) URL.revokeObjectURL(shown);
    closed.removeEventListener('abort', revoke);
    loading = shown = null;
  }

  return {
    descriptor,
    file,
    stream,
    revoke,
    url,
  };
}

// A page that is opened from a `blob:` URL runs with the application's own rights: what could hold a
// script (HTML, SVG, XML) is offered as bytes. Pictures, sound, film and text cannot; but every type
// that ends in `+xml` is XML, whatever stands before it.
// https://www.w3.org/TR/FileAPI/#originOfBlobURL https://mimesniff.spec.whatwg.org/#xml-mime-type
const HARMLESS =
  /^(image\/(png|jpeg|gif|webp|avif|bmp)|(audio|video)\/[a-z0-9.-]+|text\/plain|application\/pdf)$/;

function shownType(type: string): string {
  const [essence = ''] = type.toLowerCase().split(';');
  return HARMLESS.test(essence.trim()) ? essence.trim() : 'application/octet-stream';
}

function checkOpen(closed: AbortSignal): void {
  if (closed.aborted) throw new EncryptionError('CLOSED', 'This device was closed. Open it again.');
}
