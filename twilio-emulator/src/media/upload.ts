import type { IncomingMessage } from 'node:http';
import type { Upload } from '../chat/media.ts';
import type { MediaCategory } from '../chat/data.ts';
import { refuse } from '../errors.ts';
import { MAX_MEDIA_BYTES } from '../limits.ts';
import { firstFile } from './multipart.ts';

/** The file in an upload: the whole request as it is, or the first file of a form. */
export async function readUpload(
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Upload> {
  const category = categoryOf(query.get('Category') ?? 'media');
  // The frame of a form counts too: nobody sends files that exactly fill the limit.
  if (Number(request.headers['content-length']) > MAX_MEDIA_BYTES) throw refuse('mediaTooLarge');
  const bytes = await readAtMost(request, MAX_MEDIA_BYTES);
  if (bytes === null) throw refuse('mediaTooLarge');

  const contentType = request.headers['content-type'] ?? 'application/octet-stream';
  if (!contentType.startsWith('multipart/form-data')) {
    return { category, bytes, contentType, filename: query.get('Filename') };
  }
  const file = firstFile(bytes, contentType);
  if (file === null) throw refuse('invalidRequest', 'no file in the form');
  return { category, ...file };
}

/** What a stream holds; null if that is more than `limit`, of which nothing is kept. */
export async function readAtMost(
  stream: AsyncIterable<Buffer>,
  limit: number,
): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  // To the end in any case: to stop reading would cut the connection instead of answering.
  for await (const chunk of stream) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size <= limit ? Buffer.concat(chunks) : null;
}

function categoryOf(name: string): MediaCategory {
  if (name === 'media' || name === 'body' || name === 'history') return name;
  throw refuse('invalidRequest', 'Category');
}
