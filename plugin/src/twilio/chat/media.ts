import type { Media } from 'twilio-chat';
import { facade } from '../core/facade.ts';
import type { IncomingFile } from '../core/incoming-files.ts';
import { MEDIA_RULES } from './rules.ts';

/** The facade of a file: as its sender described it, and decrypted. */
export function mediaFacade({ file, descriptor, url, stream }: IncomingFile<Media>): Media {
  return facade(
    file,
    MEDIA_RULES,
    {
      size: descriptor.size,
      contentType: descriptor.type,
      filename: descriptor.name ?? null,
      getContentTemporaryUrl: url,
      getContentStream: stream,
    },
    false,
  );
}
