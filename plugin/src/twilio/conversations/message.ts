import type { Media, Message, Participant } from '@twilio/conversations';
import { EncryptionError } from '../../errors.ts';
import { cancellable, type Cancellable } from '../core/cancellable.ts';
import { findEnvelope } from '../core/envelope-place.ts';
import { facade } from '../core/facade.ts';
import type { MessageState } from '../core/message-state.ts';
import type { MessageFacade } from '../core/port.ts';
import type { PortMessage } from '../core/sdk.ts';
import { ReplayEmitter } from '../core/replay-emitter.ts';
import { checkSids } from './known-media.ts';
import type { Wrappers } from './registry.ts';
import { MESSAGE_RULES } from './rules.ts';

/** The facade of a message. */
export function messageFacade(
  raw: Message,
  state: MessageState<Media>,
  wrap: Wrappers,
): MessageFacade<Message> {
  const emitter = new ReplayEmitter(() => self);
  const files = (): Media[] => state.files.map(wrap.media);
  const self: Message = facade(
    raw,
    MESSAGE_RULES,
    {
      get author() {
        return state.signer ?? raw.author;
      },
      get body() {
        if (state.isClear) return raw.body;
        const { body } = state.received.content;
        return state.type === 'media' && body === undefined ? null : state.body;
      },
      get subject() {
        return state.isClear ? raw.subject : state.subject;
      },
      get attributes() {
        return state.isClear ? raw.attributes : state.attributes;
      },
      get encryption() {
        return state.received.encryption;
      },
      get conversation() {
        return wrap.conversation(raw.conversation);
      },
      get contentSid() {
        return state.isClear ? raw.contentSid : null;
      },
      getContentData: () => {
        return state.isClear ? raw.getContentData() : cancellable(() => Promise.resolve(null));
      },
      get type() {
        return state.isClear ? raw.type : state.type;
      },
      get media() {
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- passed on to who still uses it
        return state.isClear ? raw.media : (files()[0] ?? null);
      },
      get attachedMedia() {
        return state.isClear ? raw.attachedMedia : files();
      },
      ...fileMethods(raw, state, files),
      // Twilio names a participant by sid, and may name another one.
      getParticipant: async (): Promise<Participant> =>
        wrap.participant(await authorOf(raw, state.signer)),
      async updateBody(body) {
        if (await wrap.rule.mayClear(raw.conversation)) await raw.updateBody(body);
        else await state.edit({ body });
        return self;
      },
      async updateAttributes(attributes) {
        if (await wrap.rule.mayClear(raw.conversation)) await raw.updateAttributes(attributes);
        else await state.edit({ attributes });
        return self;
      },
      async remove() {
        await raw.remove();
        return self;
      },
    },
    wrap.clearMetadata,
    emitter,
  );
  return {
    facade: self,
    emitUpdated(updateReasons) {
      emitter.emit('updated', { message: self, updateReasons });
    },
  };
}

/** The participant who wrote it; rejects when they left, as the SDK does. */
async function authorOf(raw: Message, signer: string | null): Promise<Participant> {
  const author = signer && (await raw.conversation.getParticipantByIdentity(signer));
  if (author) return author;
  if (signer === null) return raw.getParticipant();
  throw new EncryptionError('INVALID_ARGUMENT', `${signer} is no participant any more.`);
}

type Urls = Map<string, string>;

/** The files: what stands beside an envelope is what it describes, and e-mails are refused. */
function fileMethods(raw: Message, state: MessageState<Media>, files: () => Media[]) {
  const ofCategories: Message['getMediaByCategories'] = (categories) =>
    state.isClear
      ? raw.getMediaByCategories(categories)
      : files().filter(({ category }) => categories.includes(category));
  const urlsOf = (wanted: (sid: string) => boolean): Cancellable<Urls> =>
    cancellable(() => urlsOfFiles(files().filter(({ sid }) => wanted(sid))));
  return {
    getMediaByCategories: ofCategories,
    getMediaByCategory: ofCategories,
    getEmailBody: (type?: string) => (state.isClear ? raw.getEmailBody(type) : null),
    getEmailHistory: (type?: string) => (state.isClear ? raw.getEmailHistory(type) : null),
    async attachTemporaryUrlsFor(contentSet: Media[] | null) {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- passed on to who still uses it
      if (state.isClear) return raw.attachTemporaryUrlsFor(contentSet);
      // Loaded now: the files give their addresses at once afterwards.
      await urlsOfFiles(contentSet ?? []);
      return contentSet ?? [];
    },
    getTemporaryContentUrlsForMedia(contentSet: Media[]) {
      if (state.isClear) return raw.getTemporaryContentUrlsForMedia(contentSet);
      const sids = contentSet.map(({ sid }) => sid);
      return urlsOf((sid) => sids.includes(sid));
    },
    getTemporaryContentUrlsForMediaSids(sids: string[]) {
      if (state.isClear) return raw.getTemporaryContentUrlsForMediaSids(sids);
      return urlsOf((sid) => sids.includes(sid));
    },
    getTemporaryContentUrlsForAttachedMedia() {
      return state.isClear ? raw.getTemporaryContentUrlsForAttachedMedia() : urlsOf(() => true);
    },
  };
}

/**
 * The addresses of decrypted files by sid.
 * @throws EncryptionError `FILE_UNREACHABLE` when Twilio gave one sid to two of them
 */
export async function urlsOfFiles(files: readonly Media[]): Promise<Urls> {
  checkSids(files);
  const urls: Urls = new Map();
  // One after the other: each is held in memory while it is decrypted.
  for (const file of files) urls.set(file.sid, (await file.getContentTemporaryUrl()) ?? '');
  return urls;
}

/** What Twilio says of a message. */
export function readMessage(message: Message): PortMessage<Media> {
  const { sid, index, author, type, attributes, dateCreated, dateUpdated } = message;
  return {
    sid,
    index,
    author: author ?? '',
    // Beside a file, twilio-chat has it among the attributes.
    ...findEnvelope(message.body ?? '', type === 'media' ? attributes : null),
    attributes,
    files: message.attachedMedia ?? [],
    dateCreated,
    dateUpdated,
  };
}
