/** The files that were looked at, by the names that Twilio gives them. */
import type { Media } from '@twilio/conversations';
import { EncryptionError } from '../../errors.ts';
import { equal } from '../../protocol/primitives.ts';
import type { MediaKey } from '../../protocol/media.ts';

/** Known files. Twilio can give one sid to files of different messages: then it names none of them. */
export interface KnownMedia<File> {
  /**
   * @param file what opens it, as its sender signed it: of the same bytes, two keys can make two files
   */
  readonly add: (media: File, file: Pick<MediaKey, 'key' | 'hash'>) => void;
  /**
   * The file of this sid, if it was looked at.
   * @throws EncryptionError `FILE_UNREACHABLE` when Twilio gave the sid to different files
   */
  readonly get: (sid: string) => File | undefined;
}

/** No files at first. */
export function knownMedia<File extends { readonly sid: string }>(): KnownMedia<File> {
  const seen = new Map<
    string,
    Pick<MediaKey, 'key' | 'hash'> & { readonly media: WeakRef<File> }
  >();
  const ambiguous = new Set<string>();
  return {
    add(media, { key, hash }) {
      const { sid } = media;
      const before = seen.get(sid);
      const isSame = !before || (equal(before.hash, hash) && equal(before.key, key));
      if (!isSame) ambiguous.add(sid);
      seen.set(sid, { media: new WeakRef(media), key, hash });
    },
    get(sid) {
      if (ambiguous.has(sid)) throw ambiguousSid(sid);
      return seen.get(sid)?.media.deref();
    },
  };
}

/**
 * Addresses are told by sid: of two files with one, they would be those of the other.
 * @throws EncryptionError `FILE_UNREACHABLE`
 */
export function checkSids(files: readonly Media[]): void {
  const bySid = new Map(files.map((file) => [file.sid, file]));
  for (const file of files) if (bySid.get(file.sid) !== file) throw ambiguousSid(file.sid);
}

/** The error of a sid that names more than one file. */
function ambiguousSid(sid: string): EncryptionError {
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
