/** Files on their way out: encrypted before the SDK gets them, and told nothing of but their length. */
import { EncryptionError } from '../../errors.ts';
import { loaded } from '../../loading.ts';
import type { MediaDescriptor } from '../../protocol/content.ts';
import type { RandomSource } from '../../protocol/primitives.ts';
import { blobOf } from './blob-of.ts';
import { FILE_TYPE } from './key-file.ts';
import type { Upload } from './sdk.ts';

/** A file as the SDKs take it. */
export interface MediaOptions {
  readonly contentType: string | null;
  readonly filename?: string;
  readonly media: string | Uint8Array | Blob | null;
}

/** An encrypted file: what the message says of it, and what Twilio gets. */
export interface OutgoingFile {
  readonly descriptor: MediaDescriptor;
  readonly upload: Upload;
}

/**
 * Encrypts a file.
 * @throws EncryptionError `INVALID_ARGUMENT` for what is no file, or a form with anything else in it
 */
export async function encryptFile(
  file: FormData | MediaOptions,
  random: RandomSource,
): Promise<OutgoingFile> {
  const { blob, type, name } = file instanceof FormData ? fromForm(file) : fromOptions(file);
  const { encryptMedia } = await loaded(() => import('../../protocol/media.ts'));
  const { ciphertext, key } = encryptMedia(blob.stream(), random);
  const encrypted = await blobOf(ciphertext);
  const descriptor = { ...(await key), type, ...(name !== undefined && { name }) };
  return { descriptor, upload: await uploadOf(encrypted) };
}

interface Plain {
  readonly blob: Blob;
  readonly type: string;
  readonly name: string | undefined;
}

function fromForm(form: FormData): Plain {
  const [file, ...others] = [...form.values()];
  // A field beside the file would go to Twilio as it is.
  if (!(file instanceof Blob) || others.length > 0) {
    throw new EncryptionError('INVALID_ARGUMENT', 'A form must hold one file and nothing else.');
  }
  return { blob: file, type: file.type || FILE_TYPE, name: file.name || undefined };
}

function fromOptions(options: MediaOptions): Plain {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) {
    throw new EncryptionError(
      'INVALID_ARGUMENT',
      'A message is a text, null, a form, or { contentType, media }.',
    );
  }
  const { contentType, filename, media } = options;
  const isFile = typeof media === 'string' || media instanceof Uint8Array || media instanceof Blob;
  // The SDKs refuse the same.
  if (typeof contentType !== 'string' || contentType === '' || !isFile) {
    throw new EncryptionError(
      'INVALID_ARGUMENT',
      'A file needs a contentType, and media: a string, a Buffer or a Blob.',
    );
  }
  const blob = media instanceof Blob ? media : new Blob([copied(media)]);
  return { blob, type: contentType, name: filename };
}

// A Blob takes no memory that other threads share.
function copied(media: string | Uint8Array): string | Uint8Array<ArrayBuffer> {
  return typeof media === 'string' ? media : new Uint8Array(media);
}

/** What the SDKs upload, of these bytes. */
export async function uploadOf(encrypted: Blob): Promise<Upload> {
  // As the SDKs tell browsers from Node.
  if (typeof XMLHttpRequest === 'undefined') {
    return { contentType: FILE_TYPE, media: Buffer.from(await encrypted.arrayBuffer()) };
  }
  const form = new FormData();
  form.append('media', new Blob([encrypted], { type: FILE_TYPE }));
  return form;
}
