import { refuse } from '../errors.ts';
import { MAX_NAME_LENGTH } from '../limits.ts';
import { newSid } from '../sids.ts';
import { mediaData } from './items.ts';
import type { MediaData, MessageData } from './data.ts';
import type { Channel, Chat, Media } from './model.ts';

/** A file that arrives. */
export type Upload = Pick<Media, 'category' | 'filename' | 'contentType' | 'bytes'>;

/** Stores a file of `author`; a message can refer to it from now on. */
export function storeMedia(chat: Chat, author: string, upload: Upload): Media {
  checkFileName(upload.filename);
  checkContentType(upload.contentType);
  const today = chat.today();
  const media = { ...upload, sid: newSid('ME'), author, dateCreated: today, dateUpdated: today };
  chat.media.set(media.sid, media);
  return media;
}

/** Changes a file, whoever wants it. */
export function changeMedia(
  chat: Chat,
  media: Media,
  change: Partial<Omit<Upload, 'category'>>,
): void {
  if (change.contentType !== undefined) checkContentType(change.contentType);
  Object.assign(media, change, { dateUpdated: chat.today() });
}

/** The file of this sid, if the identity may read it: its author and who can read its message. */
export function findMedia(chat: Chat, sid: string, identity: string): Media {
  const media = mediaOf(chat, sid);
  const isReader = usesOf(chat, sid).some(({ channel }) => channel.members.has(identity));
  if (media.author !== identity && !isReader) throw refuse('mediaNotFound');
  return media;
}

/** The file of this sid. */
export function mediaOf(chat: Chat, sid: string): Media {
  const media = chat.media.get(sid);
  if (media === undefined) throw refuse('mediaNotFound');
  return media;
}

/** What a message of `author` says about files that the author has uploaded for it. */
export function takeMedia(
  chat: Chat,
  author: string,
  sids: readonly string[],
): readonly MediaData[] {
  return sids.map((sid) => {
    const media = mediaOf(chat, sid);
    if (media.author !== author) throw refuse('mediaNotFound');
    if (usesOf(chat, sid).length > 0) throw refuse('mediaAlreadySent');
    return mediaData(media);
  });
}

/** Where a file is used. */
interface MediaUse {
  readonly channel: Channel;
  readonly message: MessageData;
}

/** The messages a file is in: one, unless somebody has tampered with them. */
export function usesOf(chat: Chat, sid: string): readonly MediaUse[] {
  return [...chat.channels.values()].flatMap((channel) =>
    channel.messages.items
      .filter(({ data }) => data.medias.some((media) => media.sid === sid))
      .map(({ data }) => ({ channel, message: data })),
  );
}

/** Refuses names that would make every push of a message long. */
function checkFileName(filename: string | null): void {
  if (filename !== null && filename.length > MAX_NAME_LENGTH) {
    throw refuse('invalidRequest', 'file name');
  }
}

/** Refuses types that cannot be an HTTP header again. */
function checkContentType(contentType: string): void {
  if (!/^[\x20-\x7e]{1,256}$/.test(contentType)) throw refuse('mediaTypeInvalid');
}
