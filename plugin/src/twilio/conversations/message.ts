import type { JSONValue, Media, MediaCategory, Message, Participant } from '@twilio/conversations';
import { EncryptionError } from '../../errors.ts';
import { cancellable, type Cancellable } from '../core/cancellable.ts';
import { findEnvelope } from '../core/envelope-place.ts';
import { facade, type OwnMembers } from '../core/facade.ts';
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
  const own = new OwnMessage(raw, state, wrap, () => self);
  const self: Message = facade(raw, MESSAGE_RULES, own, wrap.clearMetadata, emitter);
  return {
    facade: self,
    emitUpdated(updateReasons) {
      emitter.emit('updated', { message: self, updateReasons });
    },
  };
}

type Urls = Map<string, string>;

// A class, as there is one for each message. What stands beside an envelope is what it describes, and
// e-mails are refused.
class OwnMessage implements OwnMembers<Message, typeof MESSAGE_RULES> {
  readonly #raw: Message;
  readonly #state: MessageState<Media>;
  readonly #wrap: Wrappers;
  readonly #self: () => Message;

  constructor(raw: Message, state: MessageState<Media>, wrap: Wrappers, self: () => Message) {
    this.#raw = raw;
    this.#state = state;
    this.#wrap = wrap;
    this.#self = self;
  }

  get author() {
    return this.#state.signer ?? this.#raw.author;
  }

  get body() {
    if (this.#state.isClear) return this.#raw.body;
    const { body } = this.#state.received.content;
    return this.#state.type === 'media' && body === undefined ? null : this.#state.body;
  }

  get subject() {
    return this.#state.isClear ? this.#raw.subject : this.#state.subject;
  }

  get attributes() {
    return this.#state.isClear ? this.#raw.attributes : this.#state.attributes;
  }

  get encryption() {
    return this.#state.received.encryption;
  }

  get conversation() {
    return this.#wrap.conversation(this.#raw.conversation);
  }

  get contentSid() {
    return this.#state.isClear ? this.#raw.contentSid : null;
  }

  getContentData() {
    return this.#state.isClear
      ? this.#raw.getContentData()
      : cancellable(() => Promise.resolve(null));
  }

  get type() {
    return this.#state.isClear ? this.#raw.type : this.#state.type;
  }

  get media() {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- passed on to who still uses it
    return this.#state.isClear ? this.#raw.media : (this.#files()[0] ?? null);
  }

  get attachedMedia() {
    return this.#state.isClear ? this.#raw.attachedMedia : this.#files();
  }

  getMediaByCategories(categories: MediaCategory[]) {
    if (this.#state.isClear) return this.#raw.getMediaByCategories(categories);
    return this.#files().filter(({ category }) => categories.includes(category));
  }

  getMediaByCategory(categories: MediaCategory[]) {
    return this.getMediaByCategories(categories);
  }

  getEmailBody(type?: string) {
    return this.#state.isClear ? this.#raw.getEmailBody(type) : null;
  }

  getEmailHistory(type?: string) {
    return this.#state.isClear ? this.#raw.getEmailHistory(type) : null;
  }

  async attachTemporaryUrlsFor(contentSet: Media[] | null) {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- passed on to who still uses it
    if (this.#state.isClear) return this.#raw.attachTemporaryUrlsFor(contentSet);
    // Loaded now: the files give their addresses at once afterwards.
    await urlsOfFiles(contentSet ?? []);
    return contentSet ?? [];
  }

  getTemporaryContentUrlsForMedia(contentSet: Media[]) {
    if (this.#state.isClear) return this.#raw.getTemporaryContentUrlsForMedia(contentSet);
    const sids = contentSet.map(({ sid }) => sid);
    return this.#urlsOf((sid) => sids.includes(sid));
  }

  getTemporaryContentUrlsForMediaSids(sids: string[]) {
    if (this.#state.isClear) return this.#raw.getTemporaryContentUrlsForMediaSids(sids);
    return this.#urlsOf((sid) => sids.includes(sid));
  }

  getTemporaryContentUrlsForAttachedMedia() {
    if (this.#state.isClear) return this.#raw.getTemporaryContentUrlsForAttachedMedia();
    return this.#urlsOf(() => true);
  }

  // Twilio names a participant by sid, and may name another one.
  async getParticipant(): Promise<Participant> {
    return this.#wrap.participant(await authorOf(this.#raw, this.#state.signer));
  }

  async updateBody(body: string) {
    if (await this.#mayClear()) await this.#raw.updateBody(body);
    else await this.#state.edit({ body });
    return this.#self();
  }

  async updateAttributes(attributes: JSONValue) {
    if (await this.#mayClear()) await this.#raw.updateAttributes(attributes);
    else await this.#state.edit({ attributes });
    return this.#self();
  }

  async remove() {
    await this.#raw.remove();
    return this.#self();
  }

  #files(): Media[] {
    return this.#state.files.map(this.#wrap.media);
  }

  #urlsOf(wanted: (sid: string) => boolean): Cancellable<Urls> {
    return cancellable(() => urlsOfFiles(this.#files().filter(({ sid }) => wanted(sid))));
  }

  #mayClear(): Promise<boolean> {
    return this.#wrap.rule.mayClear(this.#raw.conversation);
  }
}

/** The participant who wrote it; rejects when they left, as the SDK does. */
async function authorOf(raw: Message, signer: string | null): Promise<Participant> {
  const author = signer && (await raw.conversation.getParticipantByIdentity(signer));
  if (author) return author;
  if (signer === null) return raw.getParticipant();
  throw new EncryptionError('INVALID_ARGUMENT', `${signer} is no participant any more.`);
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
