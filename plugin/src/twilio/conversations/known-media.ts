/** The files that were looked at, by the names that Twilio gives them. */
import type { Media } from '@twilio/conversations';
import { EncryptionError } from '../../errors.ts';
import { equal, type Bytes } from '../../protocol/primitives.ts';

/** Known files. Twilio can give one sid to files of different messages: then it names none of them. */
export interface KnownMedia {
  /**
   * @param hash of the file, as its sender signed it
   */
  readonly add: (media: Media, hash: Bytes) => void;
  /**
   * The file of this sid, if it was looked at.
   * @throws EncryptionError `FILE_UNREACHABLE` when Twilio gave the sid to different files
   */
  readonly get: (sid: string) => Media | undefined;
}

/** No files at first. */
export function knownMedia(): KnownMedia {
  const seen = new Map<string, { readonly media: WeakRef<Media>; readonly hash: Bytes }>();
  const ambiguous = new Set<string>();
  return {
    add(media, hash) {
      const { sid } = media;
      const before = seen.get(sid);
      if (before && !equal(before.hash, hash)) ambiguous.add(sid);
      seen.set(sid, { media: new WeakRef(media), hash });
    },
    get(sid) {
      if (ambiguous.has(sid)) throw ambiguousSid(sid);
      return seen.get(sid)?.media.deref();
    },
  };
}

/** The error of a sid that names more than one file. */
export function ambiguousSid(sid: string): EncryptionError {
  return new EncryptionError(
    'FILE_UNREACHABLE',
    `Twilio names different files ${sid}. Ask each file for its own address.`,
  );
}

/** The error of sids that name no file of a message that was looked at. */
export function unknownSids(sids: readonly string[]): EncryptionError {
  return new EncryptionError(
    'FILE_UNREACHABLE',
    `No message that was read has the files ${sids.join(', ')}. Read their messages first: what Twilio has under a sid alone nobody can verify.`,
  );
}
